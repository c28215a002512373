//! Rating events that also say whose image it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, OwnedImageRef, Rating, UserRef, catalogue};

/// A user rated an image, or changed the rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// Who rated.
    pub user: UserRef,
    /// The image that was rated, and whose it is.
    pub image: OwnedImageRef,
    /// How much the user likes it.
    pub rating: Rating,
}

impl Event for Update {
    const CONTRACT: &'static Contract = &catalogue::rate::UPDATE_V2_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
