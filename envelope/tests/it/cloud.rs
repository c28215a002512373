//! Events survive being CloudEvents.

use envelope::cloudevents::{from_binary, from_structured, to_binary, to_structured};
use envelope::{Envelope, Subject, Version};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::any;

fn event() -> impl Strategy<Value = (Subject, Envelope)> {
    let parts = (
        any::event_id(),
        any::uuid(),
        any::<u16>(),
        any::<u16>(),
        any::json(),
        any::metadata(),
    );
    parts.prop_map(|(id, key, major, minor, data, metadata)| {
        let subject = Subject {
            entity: "rate".to_owned(),
            kind: "update".to_owned(),
            major,
            key,
        };
        let version = Version::new(major, minor);
        (
            subject,
            Envelope {
                id,
                kind: "update".to_owned(),
                version,
                data,
                metadata,
            },
        )
    })
}

proptest! {
    #[test]
    fn the_structured_form_loses_nothing((subject, envelope) in event()) {
        let text = to_structured(&subject, &envelope).to_string();
        let event: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(from_structured(&event), Ok((subject, envelope)));
    }

    #[test]
    fn the_binary_form_loses_nothing((subject, envelope) in event()) {
        let binary = to_binary(&subject, &envelope);
        for (name, value) in &binary.headers {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}: {}", name, value);
        }
        prop_assert_eq!(from_binary(&binary.headers, binary.body.as_bytes()), Ok((subject, envelope)));
    }

    #[test]
    fn attributes_are_what_cloudevents_allows((subject, envelope) in event()) {
        let event = to_structured(&subject, &envelope);
        for (name, value) in event.as_object().unwrap() {
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{}", name);
            let plain = value.as_str().is_some_and(|text| !text.chars().any(char::is_control));
            prop_assert!(plain || value.is_boolean() || name == "data", "{}: {}", name, value);
        }
    }

    #[test]
    fn arbitrary_headers_and_bodies_never_panic(
        headers in proptest::collection::vec(("(ce-)?[a-z]{0,12}", ".{0,40}"), 0..12),
        body in proptest::collection::vec(any::<u8>(), 0..64),
        value in any::json(),
    ) {
        let _ = from_binary(&headers, &body);
        let _ = from_structured(&value);
    }
}

#[test]
fn a_sample_looks_as_cloudevents_describes() {
    let contract = &envelope::catalogue::rate::UPDATE_V1_0;
    let envelope: Envelope = serde_json::from_value((contract.sample)()).unwrap();
    let key = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
    let subject: Subject = format!("rate.update.v1.{key}").parse().unwrap();
    let event = to_structured(&subject, &envelope);
    let expected = json!({
        "specversion": "1.0",
        "id": envelope.id,
        "source": "services/TickAPI",
        "type": "dipper.rate.update.v1",
        "subject": key,
        "time": "2026-05-01T05:42:10Z",
        "datacontenttype": "application/json",
        "dataschema": "https://dipper.example/schemas/rate/update/1.0.json",
        "dataversion": "1.0",
        "data": envelope.data
    });
    assert_eq!(event, expected);
    let binary = to_binary(&subject, &envelope);
    let header = |name: &str| {
        binary
            .headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("ce-type"), Some("dipper.rate.update.v1"));
    assert_eq!(header("content-type"), Some("application/json"));
}

#[test]
fn what_is_no_event_of_ours_is_refused() {
    let contract = &envelope::catalogue::rate::UPDATE_V1_0;
    let envelope: Envelope = serde_json::from_value((contract.sample)()).unwrap();
    let subject = Subject {
        entity: "rate".into(),
        kind: "update".into(),
        major: 1,
        key: envelope.id.0,
    };
    let good = to_structured(&subject, &envelope);
    for (name, value) in [
        ("specversion", json!("0.3")),
        ("id", json!("")),
        ("type", json!("com.example.thing")),
        ("subject", json!("x")),
        ("dataversion", json!("2.0")),
        ("datacontenttype", json!("text/plain")),
        ("time", json!("now")),
        ("dippermetadata", json!("[]")),
        ("deprecated", json!(7)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(from_structured(&bad).is_err(), "{name}");
    }
}
