//! The small objects by which events name people and things: `{"id": ...}`, `{"url": ...}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ImageUrl, TickId, UserId};

/// A user, by id only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct UserRef {
    /// The user's id.
    pub id: UserId,
}

/// An image, by its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ImageRef {
    /// Where the image is; holds its id.
    pub url: ImageUrl,
}

/// An image and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OwnedImageRef {
    /// Where the image is; holds its id.
    pub url: ImageUrl,
    /// The user who uploaded the image.
    pub owner: UserId,
}

/// A tick, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TickRef {
    /// The tick's id, which is the event id of its `tick.new`.
    pub id: TickId,
}

/// An erasure request, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RequestRef {
    /// The request's id, which is the event id of its `gdpr.delete`.
    pub id: Uuid,
}

impl From<UserId> for UserRef {
    fn from(id: UserId) -> Self {
        Self { id }
    }
}

impl From<ImageUrl> for ImageRef {
    fn from(url: ImageUrl) -> Self {
        Self { url }
    }
}

impl From<TickId> for TickRef {
    fn from(id: TickId) -> Self {
        Self { id }
    }
}

impl From<Uuid> for RequestRef {
    fn from(id: Uuid) -> Self {
        Self { id }
    }
}
