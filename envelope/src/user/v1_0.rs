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
