//! Ids as types, so that a user's id cannot be passed where an image's is meant.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": "uuid"})
            }
        }
    };
}

id!(
    /// A user in events and between services: a random UUID without meaning.
    UserId
);
id!(
    /// An uploaded image.
    ImageId
);
id!(
    /// A tick; it is the event id of its `tick.new` event.
    TickId
);
id!(
    /// An event; whoever reads one twice knows it by this.
    EventId
);

impl From<EventId> for TickId {
    fn from(event: EventId) -> Self {
        Self(event.0)
    }
}

impl From<TickId> for EventId {
    fn from(tick: TickId) -> Self {
        Self(tick.0)
    }
}

/// The id of the event that `consumer` derives from `cause`: the same again whenever it runs again.
pub fn derived_id(consumer: &str, cause: EventId) -> EventId {
    EventId(Uuid::new_v5(&cause.0, consumer.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_depends_on_consumer_and_cause_alone() {
        let (one, two) = (EventId(Uuid::from_u128(1)), EventId(Uuid::from_u128(2)));
        assert_eq!(
            derived_id("score-model", one),
            derived_id("score-model", one)
        );
        assert_ne!(
            derived_id("score-model", one),
            derived_id("score-model", two)
        );
        assert_ne!(derived_id("score-model", one), derived_id("notifier", one));
        assert_eq!(derived_id("score-model", one).0.get_version_num(), 5);
    }

    #[test]
    fn ids_are_plain_text_in_json() {
        let id = UserId(Uuid::from_u128(3));
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<UserId>(&text).unwrap(), id);
    }
}
