//! The handlers of the routes, one module for each resource.

pub(crate) mod erasure;
pub(crate) mod feed;
pub(crate) mod images;
pub(crate) mod lists;
pub(crate) mod live;
pub(crate) mod pages;
pub(crate) mod pictures;
pub(crate) mod ratings;
pub(crate) mod reports;
pub(crate) mod species;
pub(crate) mod ticks;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A user, by id.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct UserRef {
    /// The user's id.
    pub id: Uuid,
}

/// An image, by id and address.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TickedImage)]
pub(crate) struct ImageRef {
    /// The image's id.
    pub id: Uuid,
    /// Where its largest size is.
    #[schema(
        example = "https://dipper.example/images/0e7c5b1a-94d2-4f3b-8a6d-52c1f09be874/2048.jpg"
    )]
    pub url: String,
}

impl ImageRef {
    /// By its id.
    fn new(app: &crate::App, id: Uuid) -> Self {
        let url = envelope::ImageUrl::new(&app.public_url, id.into());
        Self {
            id,
            url: url.to_string(),
        }
    }
}
