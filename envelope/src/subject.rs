//! The subject under which an event is published.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::version;

/// `<entity>.<type>.v<major>.<key>`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// What the event is about: `rate`.
    pub entity: String,
    /// What happened to it: `update`.
    pub kind: String,
    /// The major version of the event type.
    pub major: u16,
    /// The id whose events keep their order.
    pub key: Uuid,
}

/// The text is no subject of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject is <entity>.<type>.v<major>.<uuid> in lower case")]
pub struct BadSubject;

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tokens = text.split('.');
        let mut next = || tokens.next().ok_or(BadSubject);
        let (entity, kind) = (word(next()?)?, word(next()?)?);
        let major = next()?.strip_prefix('v').ok_or(BadSubject)?;
        let major = version::number(major).map_err(|_| BadSubject)?;
        let key = key(next()?)?;
        match tokens.next() {
            None => Ok(Self {
                entity,
                kind,
                major,
                key,
            }),
            Some(_) => Err(BadSubject),
        }
    }
}

fn word(token: &str) -> Result<String, BadSubject> {
    let is_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then(|| token.to_owned()).ok_or(BadSubject)
}

/// One spelling per id: whoever looks for a key's events by subject must find all of them.
fn key(token: &str) -> Result<Uuid, BadSubject> {
    let canonical = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    if token.len() != 36 || !token.bytes().all(canonical) {
        return Err(BadSubject);
    }
    Uuid::parse_str(token).map_err(|_| BadSubject)
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.v{}.{}",
            self.entity, self.kind, self.major, self.key
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        let text = "rate.update.v2.6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
        let subject: Subject = text.parse().unwrap();
        assert_eq!(
            (
                subject.entity.as_str(),
                subject.kind.as_str(),
                subject.major
            ),
            ("rate", "update", 2)
        );
        assert_eq!(subject.to_string(), text);
    }

    #[test]
    fn subjects_have_one_spelling() {
        let key = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
        for bad in [
            String::new(),
            "rate.update.v2".to_owned(),
            "rate.update.v2.*".to_owned(),
            "rate.update.v2.>".to_owned(),
            format!("rate.update.2.{key}"),
            format!("rate.update.v02.{key}"),
            format!("rate.update.v2.{key}.x"),
            format!("rate..v2.{key}"),
            format!("Rate.update.v2.{key}"),
            format!("rate.update.v2.{}", key.to_uppercase()),
            format!("rate.update.v2.{}", key.replace('-', "")),
            format!("rate.update.v2.{{{key}}}"),
        ] {
            assert_eq!(bad.parse::<Subject>(), Err(BadSubject), "{bad}");
        }
    }
}
