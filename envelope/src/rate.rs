//! Ratings: one per user and image, changeable, withdrawable.

pub mod v1_0;
pub mod v2_0;

pub use v1_0::Delete;
pub use v2_0::Update;

use serde_json::Value;

use crate::{Canonical, DecodeError, ImageId, Rating, UserId, Version, decode};

/// A user rated an image: what a handler sees of `rate.update`, whichever version came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    /// Who rated.
    pub user: UserId,
    /// What was rated.
    pub image: ImageId,
    /// Whose image it is; version 1 does not say, the reader looks it up.
    pub owner: Option<UserId>,
    /// How much the user likes it.
    pub rating: Rating,
}

/// A user took a rating back: what a handler sees of `rate.delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawn {
    /// Whose rating it was.
    pub user: UserId,
    /// The image it was for.
    pub image: ImageId,
}

impl Canonical for Rated {
    const ENTITY: &'static str = "rate";
    const KIND: &'static str = "update";

    fn read(version: Version, data: &Value) -> Result<Self, DecodeError> {
        match version.major {
            1 => decode::of_major::<v1_0::Update>(1, version, data).map(Self::from),
            _ => decode::of_major::<v2_0::Update>(2, version, data).map(Self::from),
        }
    }
}

impl Canonical for Withdrawn {
    const ENTITY: &'static str = "rate";
    const KIND: &'static str = "delete";

    fn read(version: Version, data: &Value) -> Result<Self, DecodeError> {
        decode::of_major::<Delete>(1, version, data).map(Self::from)
    }
}

impl From<v1_0::Update> for Rated {
    fn from(event: v1_0::Update) -> Self {
        Self {
            user: event.user.id,
            image: event.image_url.image(),
            owner: None,
            rating: event.rating,
        }
    }
}

impl From<v2_0::Update> for Rated {
    fn from(event: v2_0::Update) -> Self {
        Self {
            user: event.user.id,
            image: event.image.url.image(),
            owner: Some(event.image.owner),
            rating: event.rating,
        }
    }
}

impl From<Delete> for Withdrawn {
    fn from(event: Delete) -> Self {
        Self {
            user: event.user.id,
            image: event.image.url.image(),
        }
    }
}

/// For readers of version 1: the same rating without the owner.
impl From<v2_0::Update> for v1_0::Update {
    fn from(event: v2_0::Update) -> Self {
        Self {
            user: event.user,
            image_url: event.image.url,
            rating: event.rating,
        }
    }
}
