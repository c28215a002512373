//! Audit events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, UserRef, catalogue};

/// An administrator or moderator did something, and says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Who did it.
    pub admin: UserRef,
    /// What was done: `user.suspend`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._:-]+$"), length(max = 64))]
    pub action: String,
    /// To what: `user/{id}`, `image/{id}`, `dead-letter/{id}`; ids only, no names.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._:/-]+$"), length(max = 200))]
    pub target: String,
    /// Why, in the administrator's words.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

impl Event for Audit {
    const CONTRACT: &'static Contract = &catalogue::admin::AUDIT_V1_0;

    fn key(&self) -> Uuid {
        self.admin.id.0
    }
}
