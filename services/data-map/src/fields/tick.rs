//! Fields of the events of ticks. What was seen is the same in the first state of a tick and in each later one.

use super::{Fields, field};
use crate::activities::TICKS;
use crate::model::Category::{Activity as When, Location, Observation, Pseudonym};
use crate::model::Whose::AccountHolder;
use crate::model::{Category, Erasure, Part};

const fn own(pointer: &'static str, category: Category, means: &'static str) -> Part {
    field(pointer, AccountHolder, category, means)
}

const USER: Part = own("/data/user/id", Pseudonym, "who ticked");
const TICK: Part = own("/data/tick/id", Pseudonym, "which tick");
const IMAGE: Part = own("/data/image/url", Pseudonym, "the photo");
const SPECIES: Part = own("/data/species/id", Observation, "the species");
const SCIENTIFIC: Part = own(
    "/data/species/scientific",
    Observation,
    "its scientific name",
);
const ENGLISH: Part = own("/data/species/english", Observation, "its English name");
const SEEN_ON: Part = own("/data/seen_on", Observation, "the day");
const COUNT: Part = own("/data/count", Observation, "how many birds");
const LAT: Part = own(
    "/data/place/lat",
    Location,
    "roughly where: the middle of a square",
);
const LON: Part = own(
    "/data/place/lon",
    Location,
    "roughly where: the middle of a square",
);
const RADIUS: Part = own("/data/place/radius_m", Location, "how roughly");

const fn of_ticks(event: &'static str, all: &'static [Part]) -> Fields {
    Fields {
        event,
        activity: &TICKS,
        erasure: Erasure::EventGoes,
        all,
    }
}

pub(super) const NEW: Fields = of_ticks(
    "tick.new",
    &[
        USER, IMAGE, SPECIES, SCIENTIFIC, ENGLISH, SEEN_ON, COUNT, LAT, LON, RADIUS,
    ],
);

pub(super) const UPDATE: Fields = of_ticks(
    "tick.update",
    &[
        USER,
        TICK,
        IMAGE,
        own("/data/revision", When, "how often it was corrected"),
        own("/data/ticked_at", When, "when it was ticked"),
        SPECIES,
        SCIENTIFIC,
        ENGLISH,
        SEEN_ON,
        COUNT,
        LAT,
        LON,
        RADIUS,
    ],
);

pub(super) const DELETE: Fields = of_ticks(
    "tick.delete",
    &[own("/data/user/id", Pseudonym, "who took it back"), TICK],
);
