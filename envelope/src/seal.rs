//! From a new event to what is published.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::decode::{listed, people};
use crate::validators::{View, validate};
use crate::{Envelope, Event, EventId, MAX_EVENT_BYTES, Metadata, Violation};

/// An event that is ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The event's id.
    pub id: EventId,
    /// Where it is published.
    pub subject: String,
    /// By what the broker recognises a repetition: the same event may go out in two majors.
    pub message_id: String,
    /// The event as JSON.
    pub body: String,
    /// The users and images that it names.
    pub people: Vec<Uuid>,
    /// The stream that keeps it.
    pub stream: &'static str,
    /// When it happened.
    pub time: DateTime<Utc>,
}

/// Why an event must not be published: a mistake of ours, not of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The event breaks its schema.
    #[error("breaks its schema at {}", listed(.0))]
    Schema(Vec<Violation>),
    /// The event is too large.
    #[error("{0} bytes are more than the {MAX_EVENT_BYTES} that an event may have")]
    TooLarge(usize),
    /// The event cannot be written as JSON.
    #[error("cannot be written as JSON")]
    NotJson,
    /// A declared field of the metadata stands among the others as well.
    #[error("metadata names {0} twice")]
    MetadataTwice(&'static str),
}

/// Builds an event and checks it against its closed schema.
pub fn seal<E: Event>(id: EventId, metadata: Metadata, data: &E) -> Result<Outgoing, EncodeError> {
    let contract = E::CONTRACT;
    if let Some(twice) = Metadata::DECLARED
        .iter()
        .find(|name| metadata.other.contains_key(**name))
    {
        return Err(EncodeError::MetadataTwice(twice));
    }
    let kind = contract.kind.to_owned();
    let time = metadata.time;
    let envelope = Envelope {
        id,
        kind,
        version: contract.version,
        data,
        metadata,
    };
    let value = serde_json::to_value(&envelope).map_err(|_| EncodeError::NotJson)?;
    validate(contract, View::Closed, &value).map_err(EncodeError::Schema)?;
    let body = to_text(&envelope)?;
    let named = value
        .get("data")
        .map(|data| people(contract, data))
        .unwrap_or_default();
    Ok(Outgoing {
        id,
        subject: contract.subject(data.key()),
        message_id: format!("{id}:v{}", contract.version.major),
        body,
        people: named.into_iter().map(|mentioned| mentioned.id).collect(),
        stream: contract.stream.name,
        time,
    })
}

fn to_text<T: Serialize>(envelope: &Envelope<T>) -> Result<String, EncodeError> {
    let body = serde_json::to_string(envelope).map_err(|_| EncodeError::NotJson)?;
    if body.len() > MAX_EVENT_BYTES {
        return Err(EncodeError::TooLarge(body.len()));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::{ImageId, ImageUrl, Rating, UserId, decode, rate, score};

    fn metadata() -> Metadata {
        Metadata::new("services/TickAPI", DateTime::UNIX_EPOCH)
    }

    fn rated() -> rate::v2_0::Update {
        let url = ImageUrl::new("", ImageId(Uuid::from_u128(1)));
        rate::v2_0::Update {
            user: UserId(Uuid::from_u128(2)).into(),
            image: crate::OwnedImageRef {
                url,
                owner: UserId(Uuid::from_u128(3)),
            },
            rating: Rating::MAX,
        }
    }

    #[test]
    fn a_sealed_event_says_where_it_goes_and_whom_it_names() {
        let id = EventId(Uuid::from_u128(9));
        let outgoing = seal(id, metadata(), &rated()).unwrap();
        assert_eq!(
            outgoing.subject,
            format!("rate.update.v2.{}", Uuid::from_u128(2))
        );
        assert_eq!(outgoing.message_id, format!("{id}:v2"));
        assert_eq!(outgoing.stream, "RATE");
        assert_eq!(outgoing.people, [2, 1, 3].map(Uuid::from_u128));
        assert!(outgoing.body.starts_with(&format!(
            "{{\"id\":\"{id}\",\"type\":\"update\",\"version\":\"2.0\",\"data\":"
        )));
        assert!(decode(&outgoing.subject, outgoing.body.as_bytes()).is_ok());
    }

    #[test]
    fn the_same_rating_in_both_majors_is_told_apart_by_the_broker() {
        let id = EventId(Uuid::from_u128(9));
        let (new, old) = (rated(), rate::v1_0::Update::from(rated()));
        let (new, old) = (
            seal(id, metadata(), &new).unwrap(),
            seal(id, metadata(), &old).unwrap(),
        );
        assert_eq!(new.id, old.id);
        assert_ne!(new.message_id, old.message_id);
    }

    fn scored(score: f64, reasons: Vec<String>) -> score::Update {
        let image = ImageUrl::new("", ImageId(Uuid::from_u128(1))).into();
        score::Update {
            image,
            score,
            model: None,
            reasons,
        }
    }

    #[test]
    fn what_breaks_the_schema_is_not_sealed() {
        let id = EventId(Uuid::from_u128(9));
        for bad in [
            scored(5.5, vec![]),
            scored(f64::NAN, vec![]),
            scored(3.0, vec![String::new()]),
        ] {
            assert!(
                matches!(seal(id, metadata(), &bad), Err(EncodeError::Schema(_))),
                "{bad:?}"
            );
        }
        let mut unnamed = metadata();
        unnamed.source.clear();
        let Err(EncodeError::Schema(violations)) = seal(id, unnamed, &rated()) else {
            panic!("sealed")
        };
        assert_eq!(
            violations
                .first()
                .map(|violation| violation.pointer.as_str()),
            Some("/metadata/source")
        );
    }

    #[test]
    fn no_event_is_larger_than_allowed() {
        let mut large = metadata();
        large
            .other
            .insert("padding".to_owned(), json!("x".repeat(MAX_EVENT_BYTES)));
        let sealed = seal(EventId(Uuid::from_u128(9)), large, &rated());
        assert!(matches!(sealed, Err(EncodeError::TooLarge(_))));
    }

    #[test]
    fn no_field_of_the_metadata_stands_twice() {
        let mut twice = metadata();
        twice
            .other
            .insert("source".to_owned(), json!("services/Other"));
        let sealed = seal(EventId(Uuid::from_u128(9)), twice, &rated());
        assert_eq!(sealed, Err(EncodeError::MetadataTwice("source")));
    }
}
