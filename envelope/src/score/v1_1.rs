//! Scores that may say which model made them and why.

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
    /// The model and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub model: Option<String>,
    /// Why the score is what it is, the weightiest reason first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 200)))]
    pub reasons: Vec<String>,
}

impl Event for Update {
    const CONTRACT: &'static Contract = &catalogue::score::UPDATE_V1_1;

    fn key(&self) -> Uuid {
        self.image.url.image().0
    }
}
