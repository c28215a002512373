//! The catalogue: every event version, declared once.
//!
//! Streams, consumers, schemas, validators, the AsyncAPI document, the page for people, the broker's permissions and
//! the subject index are all derived from it. An event that lacks any of this does not compile.

pub mod admin;
pub mod gdpr;
pub mod notification;
pub mod rate;
mod samples;
pub mod score;
mod streams;
pub mod tick;
pub mod user;

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

pub use streams::{
    ADMIN, DEAD, GDPR, NOTIFICATION, RATE, RETURNED, RETURNED_BY, SCORE, STREAMS, Stream, TICK,
    USER,
};

use crate::Version;

/// What an event version is for, who may rely on it, and what it does with people's data.
#[derive(Debug)]
pub struct Contract {
    /// The first word of the subject: `rate`.
    pub entity: &'static str,
    /// The second word of the subject: `update`.
    pub kind: &'static str,
    /// The version.
    pub version: Version,
    /// Where it is kept.
    pub stream: &'static Stream,
    /// What it says, in one sentence.
    pub intent: &'static str,
    /// Who sends it, and when.
    pub producer: Producer,
    /// Who reads it, and why.
    pub consumers: &'static [Consumer],
    /// What the key in the subject is.
    pub key: &'static str,
    /// Where in the data the key stands; an image is named by its URL.
    pub key_pointer: &'static str,
    /// What in it is personal data, and of whom.
    pub personal: &'static [Personal],
    /// What erasing a person does to it.
    pub erasure: &'static str,
    /// The schema of its data, from the Rust type.
    pub schema: fn() -> schemars::Schema,
    /// A whole envelope as an example.
    pub sample: fn() -> Value,
    /// The published schema file.
    pub frozen: &'static str,
}

/// A major of an event that another one has taken the place of. It is published beside the newer
/// one, as the same event, while somebody reads it only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The first word of the subject: `rate`.
    pub entity: &'static str,
    /// The second word of the subject: `update`.
    pub kind: &'static str,
    /// The major that goes.
    pub major: u16,
    /// The day on which it may go at the earliest, as RFC 3339 writes it.
    pub sunset: &'static str,
}

impl Deprecation {
    /// How it is named on the command line: `rate.update@1`.
    pub fn name(&self) -> String {
        format!("{}.{}@{}", self.entity, self.kind, self.major)
    }

    /// The stream that keeps it.
    pub fn stream(&self) -> Option<&'static Stream> {
        versions(self.entity, self.kind)
            .next()
            .map(|contract| contract.stream)
    }

    /// Whether these filters of a consumer let this major through, and no newer one.
    pub fn is_all_that_pass(&self, filters: &[String]) -> bool {
        let passes = |major: u16| {
            let subject = format!("{}.{}.v{major}.key", self.entity, self.kind);
            filters.iter().any(|filter| matches(filter, &subject))
        };
        let newer = versions(self.entity, self.kind)
            .map(|contract| contract.version.major)
            .filter(|major| *major > self.major);
        passes(self.major) && !newer.into_iter().any(passes)
    }

    /// Metadata that says that it will go.
    pub fn mark(&self, mut metadata: crate::Metadata) -> crate::Metadata {
        metadata.deprecated = Some(true);
        metadata.deprecationsunset = Some(self.sunset.to_owned());
        metadata
    }
}

/// Whether a subject passes a filter, by the broker's rules: `*` is one token, `>` is all that follow.
fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for part in filter.split('.') {
        match (part, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (part, Some(token)) if part == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// Every major that goes.
pub static DEPRECATED: &[&Deprecation] = &[&rate::UPDATE_V1];

/// Who sends an event, and when.
#[derive(Debug, Clone, Copy)]
pub struct Producer {
    /// The service as it stands in `metadata.source`: `services/TickAPI`.
    pub service: &'static str,
    /// What makes it send the event.
    pub trigger: &'static str,
}

/// Who reads an event, and why.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    /// The service's name: `statistics`.
    pub service: &'static str,
    /// What it needs the event for.
    pub why: &'static str,
}

/// A service that reads events, and how.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The service's name: `statistics`.
    pub service: &'static str,
    /// In which order, and by how many at a time.
    pub reading: Reading,
    /// Why so.
    pub why: &'static str,
    /// Whether everything in its database follows from the streams, so that it can be built anew
    /// from them. The others also keep what no event tells.
    pub is_derived: bool,
}

/// How a service reads events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// One worker at a time, in the order of the stream, from a checkpoint of its own on: what it
    /// keeps can be built again from the stream.
    Projection,
    /// Any number of workers side by side; what they do cannot be done again.
    Effect,
}

impl Reading {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Effect => "effect",
        }
    }
}

/// A place in an event's data that is personal.
#[derive(Debug, Clone, Copy)]
pub struct Personal {
    /// JSON pointer within the data: `/user/id`.
    pub pointer: &'static str,
    /// Whose data it is.
    pub whose: Whose,
}

/// Whose personal data something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The person who did it.
    Actor,
    /// The person whose image it is about.
    ImageOwner,
    /// The person to whom something was sent or done.
    Recipient,
}

impl Whose {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::ImageOwner => "image owner",
            Self::Recipient => "recipient",
        }
    }
}

impl Contract {
    /// The subject of such an event.
    pub fn subject(&self, key: Uuid) -> String {
        format!(
            "{}.{}.v{}.{key}",
            self.entity, self.kind, self.version.major
        )
    }

    /// All subjects of this major: `rate.update.v1.*`.
    pub fn filter(&self) -> String {
        format!("{}.{}.v{}.*", self.entity, self.kind, self.version.major)
    }

    /// The event's name: `rate.update`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.entity, self.kind)
    }

    /// Whether a service, by its name in `metadata.source`, sends this event.
    pub fn is_published_by(&self, source: &str) -> bool {
        self.producer.service == source || self.producer.service == EVERY_SERVICE
    }

    /// Whether one service alone sends this event.
    pub fn has_one_producer(&self) -> bool {
        self.producer.service != EVERY_SERVICE
    }

    /// Whether an event may say that it comes from there. Programs of others have names of their own; the names of our
    /// services are theirs alone, each for what it sends.
    pub fn may_come_from(&self, source: &str) -> bool {
        self.is_published_by(source) || !SOURCES.contains(&source)
    }

    /// Whether the service reads this event.
    pub fn is_read_by(&self, service: &str) -> bool {
        self.consumers
            .iter()
            .any(|consumer| consumer.service == service)
    }
}

/// Stands for all of them where each may send an event.
const EVERY_SERVICE: &str = "services/*";

/// The services, as they stand in `metadata.source`.
const SOURCES: [&str; 7] = [
    "services/TickAPI",
    "services/AuthAPI",
    "services/UserAPI",
    "services/ScoreModel",
    "services/Notifier",
    "services/Statistics",
    "services/AdminAPI",
];

/// Every event version.
pub static CATALOGUE: &[&Contract] = &[
    &tick::NEW_V1_0,
    &tick::NEW_V1_1,
    &tick::UPDATE_V1_0,
    &tick::DELETE_V1_0,
    &rate::UPDATE_V1_0,
    &rate::UPDATE_V2_0,
    &rate::DELETE_V1_0,
    &score::UPDATE_V1_0,
    &score::UPDATE_V1_1,
    &notification::EMAIL_V1_0,
    &gdpr::DELETE_V1_0,
    &gdpr::PURGED_V1_0,
    &gdpr::PURGED_V1_1,
    &gdpr::ERASED_V1_0,
    &user::REGISTER_V1_0,
    &user::LOGIN_V1_0,
    &user::LIMIT_V1_0,
    &admin::AUDIT_V1_0,
];

/// Every service that reads events.
pub static READERS: &[Reader] = &[
    projection(
        "tick-api",
        "scores and ratings of its images, and whose are hidden",
    ),
    projection("auth-api", "who is erased"),
    projection("user-api", "the index of all places that name a person"),
    effect(
        "score-model",
        "a score may take its time, and many can be made at once",
    ),
    effect("notifier", "a mail that was sent cannot be sent again"),
    derived("statistics", "the rows that figures are counted from"),
    projection("admin-api", "the audit log"),
];

const fn projection(service: &'static str, why: &'static str) -> Reader {
    Reader {
        service,
        reading: Reading::Projection,
        why,
        is_derived: false,
    }
}

const fn derived(service: &'static str, why: &'static str) -> Reader {
    Reader {
        is_derived: true,
        ..projection(service, why)
    }
}

const fn effect(service: &'static str, why: &'static str) -> Reader {
    Reader {
        service,
        reading: Reading::Effect,
        why,
        is_derived: false,
    }
}

/// How a service reads events, if it does.
pub fn reader(service: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.service == service)
}

/// The stream with this name: `RATE`.
pub fn stream(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().copied().find(|stream| stream.name == name)
}

/// What the catalogue says about an event version.
pub fn contract(entity: &str, kind: &str, version: Version) -> Option<&'static Contract> {
    versions(entity, kind).find(|contract| contract.version == version)
}

/// All versions of an event, oldest first.
pub fn versions(entity: &str, kind: &str) -> impl Iterator<Item = &'static Contract> {
    CATALOGUE
        .iter()
        .copied()
        .filter(move |contract| contract.entity == entity && contract.kind == kind)
}

/// The services that read events of a subject's beginning such as `rate.update.v2`, in any version.
pub fn readers_of(name: &str) -> BTreeSet<&'static str> {
    let mut words = name.split('.');
    let (entity, kind) = (words.next(), words.next());
    versions(entity.unwrap_or_default(), kind.unwrap_or_default())
        .flat_map(|contract| contract.consumers)
        .map(|consumer| consumer.service)
        .collect()
}

/// Every event version that a service reads; its streams and filters follow from it.
pub fn consumed_by(service: &str) -> Vec<&'static Contract> {
    CATALOGUE
        .iter()
        .copied()
        .filter(|contract| contract.is_read_by(service))
        .collect()
}

/// Short forms, so that the catalogue reads like a table.
const fn read_by(service: &'static str, why: &'static str) -> Consumer {
    Consumer { service, why }
}

const fn of_actor(pointer: &'static str) -> Personal {
    Personal {
        pointer,
        whose: Whose::Actor,
    }
}

const fn of_image_owner(pointer: &'static str) -> Personal {
    Personal {
        pointer,
        whose: Whose::ImageOwner,
    }
}

const fn of_recipient(pointer: &'static str) -> Personal {
    Personal {
        pointer,
        whose: Whose::Recipient,
    }
}

/// The published schema file of an event version, as it is in the repository.
macro_rules! published {
    ($path:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../schemas/",
            $path,
            ".json"
        ))
    };
}
use published;

#[cfg(test)]
mod tests;
