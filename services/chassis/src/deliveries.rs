//! What became of every event that a service was offered, and what an operator can do about those
//! that failed: questions that each service with a database answers about itself.

mod answers;
pub mod chain;
pub(crate) mod gauges;
pub mod latency;
mod stateless;
mod store;

use std::fmt;
use std::str::FromStr;

use envelope::MAX_EVENT_BYTES;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rpc::CommonQuestion;

pub use answers::answers;
pub(crate) use stateless::answers as stateless_answers;

/// Where an event lies: its stream, that stream's making, and the sequence there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `RATE`.
    pub stream: String,
    /// When the stream was made, in microseconds since 1970.
    pub incarnation: i64,
    /// The sequence there.
    pub sequence: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stream, incarnation) = (&self.stream, self.incarnation);
        write!(f, "{stream}.{incarnation}.{}", self.sequence)
    }
}

/// This is not how a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place is STREAM.MADE.SEQUENCE")]
pub struct BadPlace;

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let mut parts = text.split('.');
        let (Some(stream), Some(incarnation), Some(sequence), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadPlace);
        };
        Ok(Self {
            stream: stream.to_owned(),
            incarnation: incarnation.parse().map_err(|_| BadPlace)?,
            sequence: sequence.parse().map_err(|_| BadPlace)?,
        })
    }
}

/// What an operator sees of an event and a consumer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not looked at yet, or it waits behind another event of its key.
    Unprocessed,
    /// It is being handled.
    InProgress,
    /// It had its effect, or need not have it any more.
    Completed,
    /// It waits for something that is away.
    Error,
    /// It failed and is tried again.
    Retry,
    /// It failed for good; somebody has to decide.
    Failed,
}

/// How many events of a stream are where, for one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// The stream.
    pub stream: String,
    /// Not looked at yet, or behind another event of their key.
    pub unprocessed: i64,
    /// Being handled.
    pub in_progress: i64,
    /// Had their effect, or need not have it any more.
    pub completed: i64,
    /// Wait for something that is away.
    pub error: i64,
    /// Failed and are tried again.
    pub retry: i64,
    /// Failed for good.
    pub failed: i64,
    /// How long the oldest of those that are parked has waited.
    pub oldest_seconds: Option<i64>,
}

/// How many events are where.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HowMany {}

impl CommonQuestion for HowMany {
    const NAME: &'static str = "deliveries";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<Counts>;
}

/// Which events are parked; the answer is in the order of their places.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Which {
    /// With this status only.
    pub status: Option<Status>,
    /// After this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

impl CommonQuestion for Which {
    const NAME: &'static str = "parked-events";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<Parked>;
}

/// An event that is parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Where it lies.
    pub place: Place,
    /// What kind of event it is, without its key: `rate.update.v2`.
    pub event: String,
    /// Its id, if it can be read.
    pub event_id: Option<Uuid>,
    /// How it stands with it.
    pub status: Status,
    /// Why, as a stable word.
    pub reason: String,
    /// Why, in words without values.
    pub detail: String,
    /// The same for all that failed in the same way.
    pub fingerprint: String,
    /// How often it was tried.
    pub attempts: i64,
    /// How many events of its key wait behind it.
    pub behind: i64,
    /// When it is tried again, in microseconds since 1970.
    pub due_at: Option<i64>,
    /// Since when it is parked, in microseconds since 1970.
    pub parked_at: i64,
}

/// What a parked event holds; `None` when nothing is parked there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspect {
    /// Where it lies.
    pub place: Place,
}

impl CommonQuestion for Inspect {
    const NAME: &'static str = "inspect-parked";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Option<Inspected>;
}

/// A parked event with its bytes, which may name people: for one look, to be kept nowhere.
#[derive(Clone, Serialize, Deserialize)]
pub struct Inspected {
    /// What is known about it beside them.
    pub parked: Parked,
    /// How many bytes it has.
    pub bytes: usize,
    /// Them, if they are text and no more than an event may have.
    pub text: Option<String>,
}

impl Inspected {
    fn new(parked: Parked, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body)
            .ok()
            .filter(|text| text.len() <= MAX_EVENT_BYTES);
        Self {
            parked,
            bytes: body.len(),
            text: text.map(str::to_owned),
        }
    }
}

/// What a service knows of an event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WhatOf {
    /// Which.
    pub event: Uuid,
}

impl CommonQuestion for WhatOf {
    const NAME: &'static str = "what-of";
    const ASKED_BY: &'static [&'static str] = &["operator", "admin-api"];
    type Answer = Known;
}

/// What a service knows of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// It produced the event, and still has it in its outbox.
    pub produced: Option<Produced>,
    /// When it handled the event, in microseconds since 1970.
    pub handled_at: Option<i64>,
    /// Where it has the event parked: in two places, say, if the event came in two versions.
    pub parked: Vec<Parked>,
    /// It has no database and so keeps no record.
    pub is_stateless: bool,
}

impl Known {
    /// Whether it knows the event at all.
    pub fn is_something(&self) -> bool {
        self.produced.is_some() || self.handled_at.is_some() || !self.parked.is_empty()
    }
}

/// An event in its producer's outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Produced {
    /// What kind of event it is, without its key: `rate.update.v2`.
    pub event: String,
    /// The sequence that its stream gave it; none while it waits to be published.
    pub sequence: Option<i64>,
}

/// Tries an event that failed once more, from its original bytes and with what the service knows
/// of events today.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// Which.
    pub place: Place,
}

impl CommonQuestion for Replay {
    const NAME: &'static str = "replay";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Replayed;
}

/// What became of an event that was tried once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replayed {
    /// It had its effect, or had it before.
    Completed,
    /// It failed again.
    Failed {
        /// Why, as a stable word.
        reason: String,
        /// Why, in words without values.
        detail: String,
    },
    /// It is under way; asking again tells more.
    UnderWay,
}

/// Gives an event that failed up: it never has its effect, and what waits behind it goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Skip {
    /// Which.
    pub place: Place,
}

impl CommonQuestion for Skip {
    const NAME: &'static str = "skip";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    /// Whether there was such an event.
    type Answer = bool;
}

/// Numbers tell one event from another, not one failure from another.
fn fingerprint(consumer: &str, event: &str, reason: &str, detail: &str) -> String {
    let detail: String = detail
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect();
    let text = format!("{consumer} {event} {reason} {detail}");
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
    id.simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_it_is_written() {
        let place = Place {
            stream: "RATE".to_owned(),
            incarnation: 1_763_000_000_000_000,
            sequence: 17,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "RATE", "RATE.1", "RATE.1.x", "RATE.1.2.3"] {
            assert_eq!(wrong.parse::<Place>(), Err(BadPlace), "{wrong}");
        }
    }

    #[test]
    fn failures_of_one_kind_have_one_fingerprint() {
        let of = |event, detail| fingerprint("statistics", event, "not-json", detail);
        let one = of("tick.new.v1", "not JSON: line 1, column 40");
        assert_eq!(one, of("tick.new.v1", "not JSON: line 12, column 3"));
        assert_ne!(one, of("rate.update.v2", "not JSON: line 1, column 40"));
    }
}
