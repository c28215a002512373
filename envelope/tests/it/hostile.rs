//! Whatever comes over the broker: an answer, never a panic.

use envelope::{
    CATALOGUE, Contract, Decoded, ImageUrl, admin, decode, gdpr, notification, rate, score, tick,
    user,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::any;

/// Reads an event as what its subject says that it is.
fn read(event: &Decoded) -> bool {
    match event.contract.name().as_str() {
        "tick.new" => event.read::<tick::New>().is_ok(),
        "tick.update" => event.read::<tick::Update>().is_ok(),
        "tick.delete" => event.read::<tick::Delete>().is_ok(),
        "rate.update" => event.read::<rate::Rated>().is_ok(),
        "rate.delete" => event.read::<rate::Withdrawn>().is_ok(),
        "score.update" => event.read::<score::Update>().is_ok(),
        "notification.email" => event.read::<notification::Email>().is_ok(),
        "gdpr.delete" => event.read::<gdpr::Delete>().is_ok(),
        "gdpr.purged" => event.read::<gdpr::Purged>().is_ok(),
        "gdpr.erased" => event.read::<gdpr::Erased>().is_ok(),
        "user.login" => event.read::<user::Login>().is_ok(),
        "user.limit" => event.read::<user::Limit>().is_ok(),
        "user.register" => event.read::<user::Register>().is_ok(),
        "admin.audit" => event.read::<admin::Audit>().is_ok(),
        _ => false,
    }
}

/// The subject that the sample has by its data.
fn subject(contract: &Contract) -> String {
    let sample = (contract.sample)();
    let pointer = format!("/data{}", contract.key_pointer);
    let text = sample.pointer(&pointer).unwrap().as_str().unwrap();
    let image = text.parse::<ImageUrl>().map(|url| url.image().0);
    contract.subject(image.unwrap_or_else(|_| text.parse().unwrap()))
}

/// All pointers into a value.
fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    if let Value::Object(object) = value {
        for (name, part) in object {
            let name = name.replace('~', "~0").replace('/', "~1");
            pointers(part, &format!("{pointer}/{name}"), found);
        }
    }
    if let Value::Array(parts) = value {
        for (at, part) in parts.iter().enumerate() {
            pointers(part, &format!("{pointer}/{at}"), found);
        }
    }
}

/// One part becomes something else, or gets a neighbour.
fn mutate(event: &mut Value, at: Index, value: Value, name: Option<String>) {
    let mut places = Vec::new();
    pointers(event, "", &mut places);
    let place = event.pointer_mut(at.get::<String>(&places)).unwrap();
    match (place, name) {
        (Value::Object(object), Some(name)) => drop(object.insert(name, value)),
        (place, _) => *place = value,
    }
}

fn near_miss() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::json(),
        prop_oneof![
            Just(0.0),
            Just(1.0),
            Just(2.0),
            Just(5.0),
            Just(1e300),
            Just(-0.0)
        ]
        .prop_map(Value::from),
        Just(Value::from("2026-02-30")),
        Just(Value::from("2026-06-30T23:59:60Z")),
        Just(Value::from("1.99")),
        Just(Value::from("0e7c5b1a94d24f3b8a6d52c1f09be874")),
    ]
}

fn field() -> impl Strategy<Value = Option<String>> {
    const KNOWN: [&str; 9] = [
        "species",
        "count",
        "place",
        "owner",
        "model",
        "reasons",
        "causationid",
        "deprecated",
        "seen_on",
    ];
    proptest::option::of(prop_oneof![
        select(&KNOWN[..]).prop_map(str::to_owned),
        ".{0,8}"
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes_never_panic(
        contract in select(CATALOGUE),
        subject in prop_oneof![".{0,60}", Just(String::new())],
        bytes in proptest::collection::vec(any::<u8>(), 0..256),
    ) {
        prop_assert!(decode(&subject, &bytes).is_err());
        prop_assert!(decode(&self::subject(contract), &bytes).is_err());
    }

    #[test]
    fn a_mutated_event_is_refused_or_read(
        contract in select(CATALOGUE),
        mutations in proptest::collection::vec((any::<Index>(), near_miss(), field()), 1..4),
    ) {
        let mut event = (contract.sample)();
        for (at, value, name) in mutations {
            mutate(&mut event, at, value, name);
        }
        match decode(&subject(contract), event.to_string().as_bytes()) {
            Ok(decoded) => {
                prop_assert!(read(&decoded), "decoded but not read: {}", event);
                decoded.people();
            }
            Err(error) => prop_assert!(!error.reason().is_empty() && !error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_truncated_or_flipped_event_never_panics(contract in select(CATALOGUE), cut in any::<Index>(), bit in 0..8_u8) {
        let mut bytes = (contract.sample)().to_string().into_bytes();
        let at = cut.index(bytes.len());
        let subject = subject(contract);
        prop_assert!(decode(&subject, &bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        if let Ok(decoded) = decode(&subject, &bytes) {
            prop_assert!(read(&decoded));
        }
    }
}
