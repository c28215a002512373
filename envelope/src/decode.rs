//! From what came over the broker to an event that can be relied on.

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::validators::{View, validate};
use crate::{
    BadSubject, Canonical, Contract, Envelope, MAX_EVENT_BYTES, Subject, Version, Violation, Whose,
    catalogue, image_url,
};

/// An event that kept its contract.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The subject under which it came.
    pub subject: Subject,
    /// What the catalogue says about it; for a later minor, the newest that we know.
    pub contract: &'static Contract,
    /// The event.
    pub envelope: Envelope<Value>,
}

/// A person, or an image that leads to one, named in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mentioned {
    /// The id of user or image.
    pub id: Uuid,
    /// Whose data it is.
    pub whose: Whose,
    /// Whether the id is a user's or an image's.
    pub kind: Mention,
}

/// What an id in an event stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mention {
    /// A user.
    User,
    /// An image; its owner is known to whoever keeps images.
    Image,
}

/// Why something is not an event of ours. Never holds what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The subject is not built like one of ours.
    #[error(transparent)]
    Subject(#[from] BadSubject),
    /// No event has such a name.
    #[error("the catalogue has no such event")]
    UnknownEvent,
    /// The event exists, but not in this version.
    #[error("the event has no version {0}")]
    Version(String),
    /// More bytes than any event has.
    #[error("{0} bytes are more than the {MAX_EVENT_BYTES} that an event may have")]
    TooLarge(usize),
    /// The bytes are not JSON.
    #[error("not JSON: line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Subject and event do not say the same.
    #[error("subject and event differ in their {0}")]
    SubjectMismatch(&'static str),
    /// The event breaks its schema.
    #[error("breaks its schema at {}", listed(.0))]
    Schema(Vec<Violation>),
    /// It says that it comes from a service of ours, which does not send such events.
    #[error("the event is not one that its source sends")]
    Source,
    /// The event is fine, but of another type than the reader asked for.
    #[error("the event is of another type than {0}")]
    OtherType(&'static str),
}

impl DecodeError {
    /// A word for metrics and dead letters; it stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Subject(_) => "subject",
            Self::UnknownEvent => "unknown-event",
            Self::Version(_) => "version",
            Self::TooLarge(_) => "too-large",
            Self::NotJson { .. } => "not-json",
            Self::SubjectMismatch(_) => "subject-mismatch",
            Self::Schema(_) => "schema",
            Self::Source => "source",
            Self::OtherType(_) => "other-type",
        }
    }
}

pub(crate) fn listed(violations: &[Violation]) -> String {
    violations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Reads an event and checks all that its contract promises.
///
/// Data may hold more than is declared, and the minor may be later than any that we know: both are what a newer
/// producer of the same major does. Subject, type, version and key must agree, and the source with who
/// sends such events.
pub fn decode(subject: &str, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    let subject: Subject = subject.parse()?;
    let newest = newest_of(&subject)?;
    let event: Value = serde_json::from_slice(bytes).map_err(|error| DecodeError::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let contract = contract_of(&subject, newest, &event)?;
    // Handlers read the newest minor, so that is what data must fit; older minors do, the compatibility gate proves it.
    validate(newest, View::Open, &event).map_err(DecodeError::Schema)?;
    if event.get("data").and_then(|data| key_of(contract, data)) != Some(subject.key) {
        return Err(DecodeError::SubjectMismatch("key"));
    }
    let envelope: Envelope<Value> =
        serde_json::from_value(event).map_err(|error| unreadable("", &error))?;
    if !contract.may_come_from(&envelope.metadata.source) {
        return Err(DecodeError::Source);
    }
    Ok(Decoded {
        subject,
        contract,
        envelope,
    })
}

/// The newest minor that we know of the subject's event and major.
pub(crate) fn newest_of(subject: &Subject) -> Result<&'static Contract, DecodeError> {
    let mut known = catalogue::versions(&subject.entity, &subject.kind).peekable();
    if known.peek().is_none() {
        return Err(DecodeError::UnknownEvent);
    }
    known
        .filter(|contract| contract.version.major == subject.major)
        .max_by_key(|contract| contract.version)
        .ok_or_else(|| DecodeError::Version(format!("{}.x", subject.major)))
}

/// The contract for the version that the event itself names.
pub(crate) fn contract_of(
    subject: &Subject,
    newest: &'static Contract,
    event: &Value,
) -> Result<&'static Contract, DecodeError> {
    if event
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind != subject.kind)
    {
        return Err(DecodeError::SubjectMismatch("type"));
    }
    let version = event
        .get("version")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    let Some(version): Option<Version> = version else {
        // The schema says what is wrong.
        return Ok(newest);
    };
    if version.major != subject.major {
        return Err(DecodeError::SubjectMismatch("version"));
    }
    if version > newest.version {
        return Ok(newest);
    }
    catalogue::contract(&subject.entity, &subject.kind, version)
        .ok_or_else(|| DecodeError::Version(version.to_string()))
}

/// The key that an event must have by its data.
pub(crate) fn key_of(contract: &Contract, data: &Value) -> Option<Uuid> {
    let text = text_at(data, contract.key_pointer)?;
    mention(text).map(|(id, _)| id)
}

/// The text at a pointer of the catalogue: those lead through objects, and escape nothing.
fn text_at<'a>(data: &'a Value, pointer: &str) -> Option<&'a str> {
    let mut tokens = pointer.split('/').skip(1);
    tokens
        .try_fold(data, |value, token| value.get(token))?
        .as_str()
}

/// The id that a text in an event stands for: a UUID, an image's URL, or `user/{id}` and `image/{id}`.
fn mention(text: &str) -> Option<(Uuid, Mention)> {
    if let Some(image) = image_url::image_of(text) {
        return Some((image.0, Mention::Image));
    }
    let (text, kind) = match text.split_once('/') {
        Some(("user", id)) => (id, Mention::User),
        Some(("image", id)) => (id, Mention::Image),
        Some(_) => return None,
        None => (text, Mention::User),
    };
    Uuid::parse_str(text).ok().map(|id| (id, kind))
}

fn unreadable(pointer: &str, error: &serde_json::Error) -> DecodeError {
    // serde's own text may quote the value.
    DecodeError::Schema(vec![Violation {
        pointer: pointer.to_owned(),
        keyword: "type".to_owned(),
        message: format!("cannot be read ({:?} error)", error.classify()),
    }])
}

/// Reads data of one major as `T`.
pub(crate) fn of_major<T: DeserializeOwned>(
    major: u16,
    version: Version,
    data: &Value,
) -> Result<T, DecodeError> {
    if version.major != major {
        return Err(DecodeError::Version(version.to_string()));
    }
    T::deserialize(data).map_err(|error| unreadable("/data", &error))
}

impl Decoded {
    /// The event as handlers see it, whichever version came.
    pub fn read<T: Canonical>(&self) -> Result<T, DecodeError> {
        if self.contract.entity != T::ENTITY || self.contract.kind != T::KIND {
            return Err(DecodeError::OtherType(T::ENTITY));
        }
        T::read(self.envelope.version, &self.envelope.data)
    }

    /// Who is named in it, and where in the data.
    pub fn mentions(&self) -> Vec<(&'static str, Mentioned)> {
        mentions(self.contract, &self.envelope.data).collect()
    }

    /// Who is named in it, as the catalogue tells.
    pub fn people(&self) -> Vec<Mentioned> {
        people(self.contract, &self.envelope.data)
    }
}

/// Who is named in an event's data.
pub(crate) fn people(contract: &Contract, data: &Value) -> Vec<Mentioned> {
    let mentions = mentions(contract, data);
    mentions.map(|(_, mentioned)| mentioned).collect()
}

fn mentions<'a>(
    contract: &'a Contract,
    data: &'a Value,
) -> impl Iterator<Item = (&'static str, Mentioned)> + 'a {
    contract.personal.iter().filter_map(|personal| {
        let text = text_at(data, personal.pointer)?;
        let (id, kind) = mention(text)?;
        let mentioned = Mentioned {
            id,
            whose: personal.whose,
            kind,
        };
        Some((personal.pointer, mentioned))
    })
}

#[cfg(test)]
mod tests;
