//! Erasure events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, RequestRef, UserRef, catalogue, whole};

/// A user asked to be forgotten; the event's id is the request's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// Who is to be forgotten.
    pub user: UserRef,
}

impl Event for Delete {
    const CONTRACT: &'static Contract = &catalogue::gdpr::DELETE_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}

/// A service deleted what it held: its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purged {
    /// The request that was answered.
    pub request: RequestRef,
    /// The service that deleted: `tick-api`.
    #[schemars(regex(pattern = r"^[a-z]+(-[a-z]+)*$"), length(max = 64))]
    pub service: String,
    /// How many rows, files and events went.
    #[serde(deserialize_with = "whole::number")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub rows: u64,
}

impl Event for Purged {
    const CONTRACT: &'static Contract = &catalogue::gdpr::PURGED_V1_0;

    fn key(&self) -> Uuid {
        self.request.id
    }
}

/// The user is forgotten everywhere; the request's event is gone and this stands in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// The request that is done.
    pub request: RequestRef,
    /// A keyed hash of the user's id: it tells a restored copy from a new user, and nobody who it was.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub subject: String,
}

impl Event for Erased {
    const CONTRACT: &'static Contract = &catalogue::gdpr::ERASED_V1_0;

    fn key(&self) -> Uuid {
        self.request.id
    }
}
