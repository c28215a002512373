//! The streams that keep the events.

use std::time::Duration;

/// A stream: the events of one entity, in order.
#[derive(Debug)]
pub struct Stream {
    /// The stream's name at the broker: `RATE`.
    pub name: &'static str,
    /// The first word of its subjects: `rate`.
    pub entity: &'static str,
    /// How long events are kept; without it for ever, until erased.
    pub retention: Option<Duration>,
    /// How large it may grow before the broker refuses new events.
    pub max_bytes: i64,
    /// The largest message, headers included.
    pub max_message_size: i32,
    /// Whether its events name people.
    pub personal: bool,
    /// What is in it.
    pub description: &'static str,
}

impl Stream {
    /// The subjects that the stream takes: `rate.>`.
    pub fn filter(&self) -> String {
        format!("{}.>", self.entity)
    }
}

const DAY: u64 = 24 * 60 * 60;
const GIB: i64 = 1024 * 1024 * 1024;
const KIB: i32 = 1024;
/// More than an event may have (`MAX_EVENT_BYTES`): one that is too large is kept as a dead letter,
/// where its sender can be told of it, instead of being refused at the door. The stream of dead
/// letters takes more still, for the headers that say why.
const LARGEST_MESSAGE: i32 = 512 * KIB;

/// Ticks.
pub static TICK: Stream = Stream {
    name: "TICK",
    entity: "tick",
    retention: None,
    max_bytes: 8 * GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "Ticks: new ones and those taken back.",
};

/// Ratings.
pub static RATE: Stream = Stream {
    name: "RATE",
    entity: "rate",
    retention: None,
    max_bytes: 8 * GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "Ratings of images: given, changed and withdrawn.",
};

/// Scores.
pub static SCORE: Stream = Stream {
    name: "SCORE",
    entity: "score",
    retention: None,
    max_bytes: 4 * GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "Scores of images, made from their pixels.",
};

/// Notifications.
pub static NOTIFICATION: Stream = Stream {
    name: "NOTIFICATION",
    entity: "notification",
    retention: Some(Duration::from_secs(365 * DAY)),
    max_bytes: 2 * GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "What was sent to whom, without address or text.",
};

/// Erasure.
pub static GDPR: Stream = Stream {
    name: "GDPR",
    entity: "gdpr",
    retention: None,
    max_bytes: GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "Requests to be forgotten, the services' receipts, and that it is done.",
};

/// Accounts.
pub static USER: Stream = Stream {
    name: "USER",
    entity: "user",
    retention: Some(Duration::from_secs(30 * DAY)),
    max_bytes: 2 * GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "New accounts and logins.",
};

/// Administration.
pub static ADMIN: Stream = Stream {
    name: "ADMIN",
    entity: "admin",
    retention: Some(Duration::from_secs(2 * 365 * DAY)),
    max_bytes: GIB,
    max_message_size: LARGEST_MESSAGE,
    personal: true,
    description: "What administrators and moderators did, and why.",
};

/// Dead letters: `dead.<subject of origin>`.
pub static DEAD: Stream = Stream {
    name: "DEAD",
    entity: "dead",
    retention: Some(Duration::from_secs(30 * DAY)),
    max_bytes: GIB,
    // The original bytes and, in the headers, why they came here.
    max_message_size: LARGEST_MESSAGE + 256 * KIB,
    personal: true,
    description: "Events that a consumer could not use, with their original bytes and the reason.",
};

/// Who publishes the events of somebody who comes from another instance: an event that is brought along
/// keeps the source that it had.
pub const RETURNED_BY: &str = "services/UserAPI";

/// The streams whose events a person brings along. Requests to be erased, acts of admins and what nobody
/// could read belong to the instance where they were.
pub static RETURNED: [&Stream; 5] = [&SCORE, &TICK, &RATE, &NOTIFICATION, &USER];

/// Every stream.
pub static STREAMS: &[&Stream] = &[
    &TICK,
    &RATE,
    &SCORE,
    &NOTIFICATION,
    &GDPR,
    &USER,
    &ADMIN,
    &DEAD,
];
