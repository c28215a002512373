//! Rating events that also say whose image it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::v1_0;
use crate::catalogue::Deprecation;
use crate::{
    Contract, EncodeError, Event, EventId, Metadata, Outgoing, OwnedImageRef, Rating, UserRef,
    catalogue, seal,
};

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

    fn older() -> Option<&'static Deprecation> {
        Some(&catalogue::rate::UPDATE_V1)
    }

    fn seal_older(
        &self,
        id: EventId,
        metadata: &Metadata,
    ) -> Option<Result<Outgoing, EncodeError>> {
        let older = v1_0::Update::from(self.clone());
        let metadata = catalogue::rate::UPDATE_V1.mark(metadata.clone());
        Some(seal(id, metadata, &older))
    }
}
