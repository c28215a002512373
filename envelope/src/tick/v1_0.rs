//! Tick events as they first were.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::v1_1::{Place, Species};
use crate::{Contract, Event, ImageRef, TickRef, UserRef, catalogue, whole};

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

/// A user corrected a tick: all of it, as it is from now on. What was said of it before no longer stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// Whose tick it is.
    pub user: UserRef,
    /// The tick.
    pub tick: TickRef,
    /// The user's own image of it.
    pub image: ImageRef,
    /// How often the tick was corrected: of two states the one with the higher number stands.
    #[serde(deserialize_with = "whole::number")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub revision: u32,
    /// When the bird was ticked; the event's own time is that of the correction.
    pub ticked_at: DateTime<Utc>,
    /// What it was, when the user knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub species: Option<Species>,
    /// The day on which it was seen; the first of the month for sensitive species.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_on: Option<NaiveDate>,
    /// How many there were.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "whole::optional"
    )]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub count: Option<u32>,
    /// Roughly where: the centre of a coarse cell, never the precise spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Event for Update {
    const CONTRACT: &'static Contract = &catalogue::tick::UPDATE_V1_0;

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
