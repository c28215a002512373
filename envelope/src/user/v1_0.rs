//! Account events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, UserRef, catalogue};

/// A user logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// Who logged in.
    pub user: UserRef,
}

impl Event for Login {
    const CONTRACT: &'static Contract = &catalogue::user::LOGIN_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}

/// A new account was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Register {
    /// Whose account it is.
    pub user: UserRef,
}

impl Event for Register {
    const CONTRACT: &'static Contract = &catalogue::user::REGISTER_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}

/// A user limited what is done with their data, or lifted such a limit: all that stands from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// Whose data it is.
    pub user: UserRef,
    /// Whether it is kept and nothing else is done with it: Art. 18 GDPR.
    pub restricted: bool,
    /// What it is not used for: Art. 21 GDPR.
    pub objections: Objections,
    /// What they took their consent back to: Art. 7(3) GDPR.
    pub withdrawn: Withdrawn,
}

/// What somebody's data is not used for, as far as more than their mails' sender has to know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Objections {
    /// Their photos get no score.
    pub scoring: bool,
    /// They are in no figure.
    pub statistics: bool,
}

/// What somebody took their consent back to, as far as others than its keeper have to know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawn {
    /// The exact places of their sightings are not kept.
    pub places: bool,
}

impl Event for Limit {
    const CONTRACT: &'static Contract = &catalogue::user::LIMIT_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
