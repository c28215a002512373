//! The envelope that all events share, and what an event type is.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::catalogue::Deprecation;
use crate::{Contract, DecodeError, EncodeError, EventId, Metadata, Outgoing, Version};

/// An event as it travels: exactly these five fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<T = Value> {
    /// The event's id; the same event always carries the same.
    pub id: EventId,
    /// The event's type word: `new`, `update`, `delete`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of the event type.
    pub version: Version,
    /// What happened.
    pub data: T,
    /// Who said so, when, and because of what.
    pub metadata: Metadata,
}

/// An event type at one version: what a producer builds.
pub trait Event:
    Serialize + DeserializeOwned + JsonSchema + Clone + Debug + Send + Sync + 'static
{
    /// What the catalogue says about this event version.
    const CONTRACT: &'static Contract;

    /// The key in the subject: events with the same key keep their order.
    fn key(&self) -> Uuid;

    /// The major before this one, if some may still read it.
    fn older() -> Option<&'static Deprecation> {
        None
    }

    /// The same event in that major: with the same id, and a word in its metadata that it will go.
    fn seal_older(
        &self,
        _id: EventId,
        _metadata: &Metadata,
    ) -> Option<Result<Outgoing, EncodeError>> {
        None
    }
}

/// What a handler sees: one type for all versions of an event, read up from whichever version came.
pub trait Canonical: Clone + Debug + Send + Sync + Sized + 'static {
    /// The entity: the first word of the subject.
    const ENTITY: &'static str;
    /// The event's type word: the second word of the subject.
    const KIND: &'static str;

    /// Reads data of the given version.
    fn read(version: Version, data: &Value) -> Result<Self, DecodeError>;
}

/// For an event with one major: its newest minor is the canonical type and reads the older ones.
macro_rules! newest_is_canonical {
    ($event:ty, $entity:literal, $kind:literal) => {
        impl $crate::Canonical for $event {
            const ENTITY: &'static str = $entity;
            const KIND: &'static str = $kind;

            fn read(
                version: $crate::Version,
                data: &serde_json::Value,
            ) -> Result<Self, $crate::DecodeError> {
                $crate::decode::of_major::<Self>(1, version, data)
            }
        }
    };
}
pub(crate) use newest_is_canonical;
