//! Scores without an explanation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, ImageRef, catalogue};

/// A model scored an image from its pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// The image that was scored.
    pub image: ImageRef,
    /// The score, from 1 (poor) to 5 (excellent).
    #[schemars(range(min = 1, max = 5))]
    pub score: f64,
}

impl Event for Update {
    const CONTRACT: &'static Contract = &catalogue::score::UPDATE_V1_0;

    fn key(&self) -> Uuid {
        self.image.url.image().0
    }
}
