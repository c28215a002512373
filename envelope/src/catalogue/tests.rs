use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::{CATALOGUE, Contract, STREAMS, TICK, consumed_by, readers_of, stream, versions};
use crate::{Event, gdpr, notification, rate, score, tick, user};

/// The services that exist, by the names under which they consume.
const SERVICES: [&str; 7] = [
    "tick-api",
    "auth-api",
    "user-api",
    "score-model",
    "notifier",
    "statistics",
    "admin-api",
];

#[test]
fn every_entry_is_complete() {
    for contract in CATALOGUE {
        let name = format!("{} {}", contract.name(), contract.version);
        assert!(contract.intent.ends_with('.'), "{name}");
        assert!(contract.erasure.ends_with('.'), "{name}");
        assert!(contract.producer.trigger.ends_with('.'), "{name}");
        assert!(contract.producer.service.starts_with("services/"), "{name}");
        assert!(!contract.key.is_empty(), "{name}");
        assert!(!contract.consumers.is_empty(), "{name}");
        assert_eq!(contract.stream.entity, contract.entity, "{name}");
        for consumer in contract.consumers {
            assert!(
                SERVICES.contains(&consumer.service),
                "{name}: {}",
                consumer.service
            );
            assert!(!consumer.why.is_empty(), "{name}: {}", consumer.service);
        }
    }
}

#[test]
fn personal_data_and_keys_point_at_declared_fields() {
    for contract in CATALOGUE {
        let schema = (contract.schema)().to_value();
        let pointers = contract.personal.iter().map(|personal| personal.pointer);
        for pointer in pointers.chain([contract.key_pointer]) {
            let place = pointer.replace('/', "/properties/");
            assert!(
                schema.pointer(&place).is_some(),
                "{} {pointer}",
                contract.name()
            );
        }
    }
}

/// The pointers of all fields of a schema that hold a user's id or an image's URL.
fn people_in(schema: &Value, pointer: &str, found: &mut BTreeSet<String>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, part) in properties {
        let pointer = format!("{pointer}/{name}");
        let names_image = part["pattern"]
            .as_str()
            .is_some_and(|pattern| pattern.contains("/images/"));
        let names_user = part["format"] == "uuid"
            && !["/tick/id", "/source_event/id", "/request/id"].contains(&pointer.as_str());
        if names_image || names_user {
            found.insert(pointer.clone());
        }
        people_in(part, &pointer, found);
    }
}

#[test]
fn no_user_and_no_image_goes_undeclared() {
    for contract in CATALOGUE {
        let mut found = BTreeSet::new();
        people_in(&(contract.schema)().to_value(), "", &mut found);
        for pointer in found {
            let declared = contract
                .personal
                .iter()
                .any(|personal| personal.pointer == pointer);
            assert!(declared, "{} {pointer}", contract.name());
        }
    }
}

#[test]
fn no_event_version_stands_twice() {
    let names: BTreeSet<_> = CATALOGUE
        .iter()
        .map(|contract| (contract.entity, contract.kind, contract.version))
        .collect();
    assert_eq!(names.len(), CATALOGUE.len());
}

#[test]
fn who_reads_a_version_reads_every_version_of_the_event() {
    for contract in CATALOGUE {
        for other in versions(contract.entity, contract.kind) {
            let readers = |contract: &Contract| {
                contract
                    .consumers
                    .iter()
                    .map(|c| c.service)
                    .collect::<Vec<_>>()
            };
            assert_eq!(readers(contract), readers(other), "{}", contract.name());
        }
    }
}

#[test]
fn the_subject_index_sees_every_event_that_names_someone() {
    for contract in CATALOGUE
        .iter()
        .filter(|contract| !contract.personal.is_empty())
    {
        assert!(contract.is_read_by("user-api"), "{}", contract.name());
    }
}

#[test]
fn subjects_and_filters_follow_from_the_entry() {
    let key = Uuid::from_u128(1);
    let contract = rate::Update::CONTRACT;
    assert_eq!(contract.subject(key), format!("rate.update.v2.{key}"));
    assert_eq!(contract.filter(), "rate.update.v2.*");
    assert_eq!(contract.name(), "rate.update");
    assert_eq!(TICK.filter(), "tick.>");
}

#[test]
fn what_a_service_reads_is_derived() {
    let names = |service| {
        consumed_by(service)
            .iter()
            .map(|c| c.filter())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        names("score-model"),
        BTreeSet::from(["tick.new.v1.*".to_owned(), "tick.update.v1.*".to_owned()])
    );
    assert_eq!(
        names("auth-api"),
        BTreeSet::from(["gdpr.delete.v1.*".to_owned()])
    );
    assert!(names("notifier").contains("rate.update.v2.*"));
    assert_eq!(names("nobody"), BTreeSet::new());
}

#[test]
fn every_type_stands_in_the_catalogue() {
    let contracts: [&Contract; 6] = [
        tick::New::CONTRACT,
        rate::Update::CONTRACT,
        score::Update::CONTRACT,
        notification::Email::CONTRACT,
        gdpr::Delete::CONTRACT,
        user::Login::CONTRACT,
    ];
    for contract in contracts {
        let found = super::contract(contract.entity, contract.kind, contract.version).unwrap();
        assert!(std::ptr::eq(found, contract), "{}", contract.name());
    }
}

#[test]
fn streams_are_found_by_name_and_are_large_enough_for_any_event() {
    assert_eq!(
        stream("USER").unwrap().retention.unwrap().as_secs(),
        30 * 24 * 60 * 60
    );
    assert!(stream("user").is_none());
    for stream in STREAMS {
        assert!(
            usize::try_from(stream.max_message_size).unwrap() >= crate::MAX_EVENT_BYTES,
            "{}",
            stream.name
        );
    }
}

#[test]
fn the_readers_of_an_event_are_those_of_all_its_versions() {
    assert!(readers_of("rate.update.v1").contains("notifier"));
    assert_eq!(readers_of("rate.update.v1"), readers_of("rate.update.v2"));
    assert!(readers_of("rate").is_empty() && readers_of("").is_empty());
}
