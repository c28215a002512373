//! Notification events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, EventId, UserRef, catalogue};

/// A mail to a user was accepted by the mail server; neither address nor text stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Email {
    /// Who got the mail.
    pub user: UserRef,
    /// What the mail is about: `rate.update`.
    #[schemars(regex(pattern = r"^[a-z]+\.[a-z]+$"), length(max = 64))]
    pub message_type: String,
    /// The event that the mail is about.
    pub source_event: SourceEvent,
}

/// An event that another event points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceEvent {
    /// The entity: `rate`.
    #[schemars(regex(pattern = r"^[a-z]+$"), length(max = 32))]
    pub name: String,
    /// The event's id.
    pub id: EventId,
    /// The event's type word: `update`.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = r"^[a-z]+$"), length(max = 32))]
    pub kind: String,
}

impl Event for Email {
    const CONTRACT: &'static Contract = &catalogue::notification::EMAIL_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
