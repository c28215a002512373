//! What an auditor asks: the consumers of its events, and operators the auditor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::digest::Bucket;
use crate::rpc::CommonQuestion;

/// The services that send events from a database of their own, and so look after what became of them.
const SENDERS: &[&str] = &[
    "tick-api",
    "auth-api",
    "user-api",
    "notifier",
    "statistics",
    "admin-api",
];

/// What a consumer has in its inbox of a producer's events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Digests {
    /// The producer, as it stands in the metadata: `services/TickAPI`.
    pub source: String,
    /// The stream.
    pub stream: String,
    /// The lengths of time that are asked for.
    pub buckets: Vec<i64>,
}

impl CommonQuestion for Digests {
    const NAME: &'static str = "digests";
    const ASKED_BY: &'static [&'static str] = SENDERS;
    /// None from a service that keeps no inbox.
    type Answer = Option<Vec<Bucket>>;
}

/// Which of these events a consumer has neither handled nor parked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unknown {
    /// The stream.
    pub stream: String,
    /// Ids, and the sequences there.
    pub events: Vec<(Uuid, i64)>,
}

impl CommonQuestion for Unknown {
    const NAME: &'static str = "unknown";
    const ASKED_BY: &'static [&'static str] = SENDERS;
    type Answer = Vec<Uuid>;
}

/// Lets a service without a database answer an event once more: its answer did not arrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswerAgain {
    /// The stream that the event was in.
    pub stream: String,
    /// The sequence there.
    pub sequence: i64,
    /// The event's subject.
    pub subject: String,
    /// The event.
    pub body: String,
}

impl CommonQuestion for AnswerAgain {
    const NAME: &'static str = "answer-again";
    const ASKED_BY: &'static [&'static str] = SENDERS;
    type Answer = Again;
}

/// What became of an event that was to be answered once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// The answer is published.
    Answered,
    /// There is nothing to answer: what it is about was erased, or it is a dead letter.
    Needless,
    /// It cannot be answered now.
    Later,
}

/// What the audit of a service's own events found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Audit {}

impl CommonQuestion for Audit {
    const NAME: &'static str = "audit";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Findings;
}

/// How it stands with the events that a service sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Findings {
    /// Sent, and not known yet to have reached all their consumers.
    pub unmatched: i64,
    /// How long ago the oldest of those happened.
    pub oldest_unmatched_seconds: Option<i64>,
    /// Known to be missing somewhere, and not known yet to have arrived.
    pub missing: i64,
    /// How often an event was published or answered again.
    pub repaired: i64,
}
