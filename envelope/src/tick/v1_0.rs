//! Tick events as they first were.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, ImageRef, TickRef, UserRef, catalogue};

/// A user ticked a bird; the event's id is the tick's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct New {
    /// Who saw the bird.
    pub user: UserRef,
    /// The user's own image of it.
    pub image: ImageRef,
}

impl Event for New {
    const CONTRACT: &'static Contract = &catalogue::tick::NEW_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}

/// A user took a tick back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// Whose tick it was.
    pub user: UserRef,
    /// The tick that is gone.
    pub tick: TickRef,
}

impl Event for Delete {
    const CONTRACT: &'static Contract = &catalogue::tick::DELETE_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
