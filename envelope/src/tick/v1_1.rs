//! Ticks that may say what was seen, when, how many and roughly where.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, ImageRef, UserRef, catalogue, whole};

/// A user ticked a bird; the event's id is the tick's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct New {
    /// Who saw the bird.
    pub user: UserRef,
    /// The user's own image of it.
    pub image: ImageRef,
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

/// A bird species with its names, as the checklist had them at the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Species {
    /// The checklist's id.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// The scientific name.
    #[schemars(length(min = 1, max = 200))]
    pub scientific: String,
    /// The English name.
    #[schemars(length(min = 1, max = 200))]
    pub english: String,
}

/// A coarse place: everyone may know it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Latitude of the centre, in degrees.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: f64,
    /// Longitude of the centre, in degrees.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: f64,
    /// How far from the centre the spot may be, in metres.
    #[serde(deserialize_with = "whole::number")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub radius_m: u32,
}

impl Event for New {
    const CONTRACT: &'static Contract = &catalogue::tick::NEW_V1_1;

    fn key(&self) -> Uuid {
        self.user.id.0
    }
}
