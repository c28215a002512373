//! Rating events that do not say whose image it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, ImageRef, ImageUrl, Rating, UserRef, catalogue};

/// A user rated an image, or changed the rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// Who rated.
    pub user: UserRef,
    /// The image that was rated.
    pub image_url: ImageUrl,
    /// How much the user likes it.
    pub rating: Rating,
}

impl Event for Update {
    const CONTRACT: &'static Contract = &catalogue::rate::UPDATE_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}

/// A user took a rating back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// Whose rating it was.
    pub user: UserRef,
    /// The image it was for.
    pub image: ImageRef,
}

impl Event for Delete {
    const CONTRACT: &'static Contract = &catalogue::rate::DELETE_V1_0;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
