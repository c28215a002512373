//! A mail as anybody may hand it to the mail catcher: its header, its parts and parts of parts.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../services/mail-catcher/src"]
mod mail_catcher {
    #[expect(dead_code, reason = "no files are read here")]
    #[path = "store/id.rs"]
    pub(crate) mod id;
    pub(crate) mod message;
    #[expect(dead_code, reason = "who sent a mail is shown nowhere")]
    pub(crate) mod trace;
}

// Its modules know each other by these names.
mod store {
    pub(crate) use crate::mail_catcher::id::MailId;
}
use mail_catcher::{message, trace};

const RECIPIENT: &str = "ada@birds.example";

fuzz_target!(
    // A slip of the parser costs the view of a mail's body and nothing more, so it is caught and no crash; one of ours still is.
    init: { let _ = std::panic::take_hook(); },
    |mail: &[u8]| read(mail)
);

fn read(mail: &[u8]) {
    let id = store::MailId::of(mail, RECIPIENT);
    assert_eq!(store::MailId::parse(&id.to_string()), Some(id.clone()));
    let trace = trace::Trace::now("eve@birds.example", RECIPIENT);
    let file = [trace.to_string().as_bytes(), mail].concat();
    let Some(read) = message::Message::read(&id, &file) else {
        return;
    };
    // Whatever its own header says: it is where the envelope sent it, when it came.
    assert_eq!(
        (read.id.as_str(), read.to.as_str()),
        (&*id.to_string(), RECIPIENT)
    );
    assert_eq!(read.received_at, trace.received_at);
    serde_json::to_string(&read).unwrap();
}
