use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{CATALOGUE, Contract, Rating, gdpr, rate, score, tick};

fn subject_of(contract: &Contract, event: &Value) -> String {
    contract.subject(key_of(contract, &event["data"]).unwrap())
}

fn decode_value(subject: &str, event: &Value) -> Result<Decoded, DecodeError> {
    decode(subject, event.to_string().as_bytes())
}

/// The sample of a version, changed, and decoded under its own subject.
fn changed(
    contract: &'static Contract,
    change: impl FnOnce(&mut Value),
) -> Result<Decoded, DecodeError> {
    let mut event = (contract.sample)();
    let subject = subject_of(contract, &event);
    change(&mut event);
    decode_value(&subject, &event)
}

const RATED: &Contract = &catalogue::rate::UPDATE_V1_0;
const TICKED: &Contract = &catalogue::tick::NEW_V1_1;

#[test]
fn every_sample_is_an_event() {
    for contract in CATALOGUE {
        let decoded = changed(contract, |_| ()).unwrap();
        assert!(
            std::ptr::eq(decoded.contract, *contract),
            "{}",
            contract.name()
        );
        assert_eq!(
            serde_json::to_value(&decoded.envelope).unwrap(),
            (contract.sample)()
        );
    }
}

#[test]
fn a_later_minor_is_read_as_the_newest_known() {
    let decoded = changed(TICKED, |event| {
        event["version"] = json!("1.7");
        event["data"]["weather"] = json!({"rain": true});
        event["data"]["place"]["height_m"] = json!(12);
    })
    .unwrap();
    assert_eq!(decoded.contract.version, Version::new(1, 1));
    assert_eq!(decoded.envelope.version, Version::new(1, 7));
    assert_eq!(decoded.read::<tick::New>().unwrap().count, Some(2));
}

#[test]
fn ticks_of_the_first_version_are_read_as_the_newest() {
    let decoded = changed(&catalogue::tick::NEW_V1_0, |_| ()).unwrap();
    let tick: tick::New = decoded.read().unwrap();
    assert_eq!(
        (tick.species, tick.seen_on, tick.count, tick.place),
        (None, None, None, None)
    );
}

#[test]
fn both_majors_of_a_rating_are_read_as_one_type() {
    let first: rate::Rated = changed(RATED, |_| ()).unwrap().read().unwrap();
    let second: rate::Rated = changed(&catalogue::rate::UPDATE_V2_0, |_| ())
        .unwrap()
        .read()
        .unwrap();
    assert_eq!(first.rating, Rating::try_from(4).unwrap());
    assert_eq!(
        first,
        rate::Rated {
            owner: None,
            ..second
        }
    );
    assert!(second.owner.is_some());
}

#[test]
fn reading_as_another_type_is_refused() {
    let decoded = changed(RATED, |_| ()).unwrap();
    assert_eq!(
        decoded.read::<score::Update>().unwrap_err().reason(),
        "other-type"
    );
    assert_eq!(
        decoded.read::<rate::Withdrawn>().unwrap_err().reason(),
        "other-type"
    );
    let erase = changed(&catalogue::gdpr::DELETE_V1_0, |_| ()).unwrap();
    assert!(erase.read::<gdpr::Delete>().is_ok());
}

#[test]
fn numbers_that_the_schema_takes_for_integers_are_read() {
    let decoded = changed(TICKED, |event| {
        event["data"]["count"] = json!(3.0);
        event["data"]["place"]["radius_m"] = json!(500.0);
    });
    let tick: tick::New = decoded.unwrap().read().unwrap();
    assert_eq!((tick.count, tick.place.unwrap().radius_m), (Some(3), 500));
}

/// The place and the broken keyword of the first violation.
fn violation(result: Result<Decoded, DecodeError>) -> String {
    let Err(DecodeError::Schema(violations)) = result else {
        panic!("{result:?}")
    };
    let Violation {
        pointer, keyword, ..
    } = &violations[0];
    format!("{pointer} {keyword}")
}

#[test]
fn whatever_breaks_the_envelope_is_refused_by_place() {
    let set = |pointer: &str, value: Value| {
        violation(changed(RATED, |e| *e.pointer_mut(pointer).unwrap() = value))
    };
    let without = |pointer: &str, name: &str| {
        let remove = |e: &mut Value| {
            let object = e.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
            object.remove(name).unwrap();
        };
        violation(changed(RATED, remove))
    };
    assert_eq!(without("", "id"), " required");
    assert_eq!(without("", "data"), " required");
    assert_eq!(without("/metadata", "time"), "/metadata required");
    assert_eq!(set("/id", json!("x")), "/id format");
    assert_eq!(set("/version", json!(1.0)), "/version type");
    assert_eq!(set("/version", json!("01.0")), "/version pattern");
    assert_eq!(set("/metadata/time", json!("now")), "/metadata/time format");
    assert_eq!(set("/data", json!([])), "/data type");
    let extra = changed(RATED, |e| e["extra"] = json!(1));
    assert_eq!(violation(extra), " additionalProperties");
}

#[test]
fn whatever_breaks_the_data_is_refused_by_place() {
    let set = |name: &str, value: Value| violation(changed(RATED, |e| e["data"][name] = value));
    assert_eq!(set("rating", json!(6)), "/data/rating maximum");
    assert_eq!(set("rating", json!(0)), "/data/rating minimum");
    assert_eq!(set("rating", json!(2.5)), "/data/rating type");
    assert_eq!(set("rating", Value::Null), "/data/rating type");
    assert_eq!(
        set("image_url", json!("https://x.example/a.jpg")),
        "/data/image_url pattern"
    );
    assert_eq!(set("user", json!({})), "/data/user required");
    assert_eq!(
        set("user", json!({"id": "someone"})),
        "/data/user/id format"
    );
}

#[test]
fn subject_and_event_must_say_the_same() {
    let reason = |change: fn(&mut Value)| changed(RATED, change).unwrap_err();
    assert_eq!(
        reason(|e| e["type"] = json!("delete")),
        DecodeError::SubjectMismatch("type")
    );
    assert_eq!(
        reason(|e| e["version"] = json!("2.0")),
        DecodeError::SubjectMismatch("version")
    );
    let other = Uuid::from_u128(7);
    assert_eq!(
        reason(|e| e["data"]["user"]["id"] = json!(Uuid::from_u128(8))),
        DecodeError::SubjectMismatch("key")
    );
    let event = (RATED.sample)();
    assert_eq!(
        decode_value(&RATED.subject(other), &event)
            .unwrap_err()
            .reason(),
        "subject-mismatch"
    );
}

#[test]
fn each_way_to_fail_has_its_own_reason() {
    let key = Uuid::from_u128(1);
    let reason = |subject: String, bytes: &[u8]| decode(&subject, bytes).unwrap_err().reason();
    assert_eq!(reason(format!("tick.new.v1.{key}"), b"{"), "not-json");
    assert_eq!(
        reason(format!("tick.new.v1.{key}"), b"\xff\xfe"),
        "not-json"
    );
    assert_eq!(reason(format!("tick.new.v1.{key}"), b"17"), "schema");
    assert_eq!(
        reason(
            format!("tick.new.v1.{key}"),
            &vec![b' '; MAX_EVENT_BYTES + 1]
        ),
        "too-large"
    );
    assert_eq!(
        reason(format!("tick.eaten.v1.{key}"), b"{}"),
        "unknown-event"
    );
    assert_eq!(reason(format!("tick.new.v9.{key}"), b"{}"), "version");
    assert_eq!(reason("tick.new.v1.*".to_owned(), b"{}"), "subject");
}

#[test]
fn an_error_never_tells_what_was_in_the_event() {
    let secret = "alice@birds.example";
    let changes: [fn(&mut Value); 5] = [
        |e| e["data"]["user"]["id"] = json!("alice@birds.example"),
        |e| e["data"]["image_url"] = json!("alice@birds.example"),
        |e| e["alice@birds.example"] = json!("alice@birds.example"),
        |e| e["version"] = json!("alice@birds.example"),
        |e| e["metadata"]["time"] = json!("alice@birds.example"),
    ];
    for change in changes {
        let error = changed(RATED, change).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    let error = decode(&format!("tick.new.v1.{secret}"), b"{}").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret), "{error}");
}

#[test]
fn everyone_named_in_an_event_is_found() {
    let decoded = changed(&catalogue::rate::UPDATE_V2_0, |_| ()).unwrap();
    let event: rate::v2_0::Update = serde_json::from_value(decoded.envelope.data.clone()).unwrap();
    let of = |id, whose, kind| Mentioned { id, whose, kind };
    assert_eq!(
        decoded.people(),
        [
            of(event.user.id.0, Whose::Actor, Mention::User),
            of(event.image.url.image().0, Whose::ImageOwner, Mention::Image),
            of(event.image.owner.0, Whose::ImageOwner, Mention::User),
        ]
    );
}

#[test]
fn the_target_of_an_administrator_is_found_when_it_is_a_person_or_an_image() {
    let id = Uuid::from_u128(5);
    let target = |target: String| {
        let audit = &catalogue::admin::AUDIT_V1_0;
        let people = changed(audit, |event| event["data"]["target"] = json!(target))
            .unwrap()
            .people();
        people
            .get(1)
            .map(|named| (named.id, named.whose, named.kind))
    };
    assert_eq!(
        target(format!("user/{id}")),
        Some((id, Whose::Recipient, Mention::User))
    );
    assert_eq!(
        target(id.to_string()),
        Some((id, Whose::Recipient, Mention::User))
    );
    assert_eq!(
        target(format!("image/{id}")),
        Some((id, Whose::Recipient, Mention::Image))
    );
    assert_eq!(
        target(format!("/images/{id}")),
        Some((id, Whose::Recipient, Mention::Image))
    );
    assert_eq!(target(format!("dead-letter/{id}")), None);
    assert_eq!(target("stream/TICK".to_owned()), None);
}

#[test]
fn a_service_of_ours_is_the_source_of_what_it_sends_only() {
    let from = |source: &str| changed(RATED, |event| event["metadata"]["source"] = json!(source));
    assert!(from("services/TickAPI").is_ok());
    assert!(from("services/OldClient").is_ok());
    assert_eq!(from("services/Notifier").unwrap_err(), DecodeError::Source);
    let receipt = &catalogue::gdpr::PURGED_V1_1;
    let receipt = changed(receipt, |event| {
        event["metadata"]["source"] = json!("services/Notifier");
    });
    assert!(receipt.is_ok(), "each service gives its own");
}
