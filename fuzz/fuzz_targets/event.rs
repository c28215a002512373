//! An event from the broker, as everybody reads it: checked against its contract, read up to its newest version, mapped to
//! CloudEvents and back. Its subject is the first line.

#![no_main]

use envelope::{
    Canonical, Decoded, admin, cloudevents, decode, gdpr, notification, rate, score, tick, user,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (subject, event) = (&bytes[..end], &bytes[end + 1..]);
    let Ok(subject) = std::str::from_utf8(subject) else {
        return;
    };
    let Ok(decoded) = decode(subject, event) else {
        return;
    };
    assert_eq!(decoded.subject.to_string(), subject);
    assert_eq!(decoded.people().len(), decoded.mentions().len());
    read_up(&decoded);
    let structured = cloudevents::to_structured(&decoded.subject, &decoded.envelope);
    let back = cloudevents::from_structured(&structured).unwrap();
    assert_eq!(back, (decoded.subject.clone(), decoded.envelope.clone()));
    let binary = cloudevents::to_binary(&decoded.subject, &decoded.envelope);
    let back = cloudevents::from_binary(&binary.headers, binary.body.as_bytes()).unwrap();
    assert_eq!(back, (decoded.subject, decoded.envelope));
});

/// What was let in is read as the one type that stands for all versions of its event, and as no other. It may still be refused then: the
/// schemas name the format of times and days, and the types alone check it.
fn read_up(decoded: &Decoded) {
    let readable = [
        reads::<admin::v1_0::Audit>(decoded),
        reads::<gdpr::v1_0::Delete>(decoded),
        reads::<gdpr::v1_0::Erased>(decoded),
        reads::<gdpr::v1_1::Purged>(decoded),
        reads::<notification::v1_0::Email>(decoded),
        reads::<rate::Rated>(decoded),
        reads::<rate::Withdrawn>(decoded),
        reads::<score::v1_1::Update>(decoded),
        reads::<tick::v1_0::Delete>(decoded),
        reads::<tick::v1_0::Update>(decoded),
        reads::<tick::v1_1::New>(decoded),
        reads::<user::v1_0::Limit>(decoded),
        reads::<user::v1_0::Login>(decoded),
        reads::<user::v1_0::Register>(decoded),
    ];
    assert!(readable.iter().filter(|read| **read).count() <= 1);
}

fn reads<T: Canonical>(decoded: &Decoded) -> bool {
    decoded.read::<T>().is_ok()
}
