//! An event as it is offered: by the broker, or once more from where it was parked.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use bytes::Bytes;
use envelope::{Decoded, Mention, decode};
use uuid::Uuid;

use super::EventName;
use crate::ids::ids_in;
use crate::telemetry::pseudonym;

/// Where a message lies: the stream's making, and the sequence there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// When the stream was made, in microseconds since 1970.
    pub incarnation: i64,
    pub sequence: u64,
}

/// The bytes of an event, and what today's decoder makes of them.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub place: Place,
    pub subject: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub decoded: Result<Arc<Decoded>, Unreadable>,
    /// How often it was tried before.
    pub attempts: i64,
    /// When it was parked first, in microseconds since 1970.
    pub parked_at: Option<i64>,
}

/// Why bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub reason: &'static str,
    pub detail: String,
}

impl Unreadable {
    /// Its id stands for another event. Like other bytes that are no event it holds nobody up, as anybody may have put it there.
    pub fn conflict() -> Self {
        Self {
            reason: "conflict",
            detail: "another event has this id".to_owned(),
        }
    }
}

impl Offered {
    pub fn new(place: Place, subject: String, headers: HeaderMap, body: Bytes) -> Self {
        let decoded = decode(&subject, &body)
            .map(Arc::new)
            .map_err(|error| Unreadable {
                reason: error.reason(),
                detail: error.to_string(),
            });
        Self {
            place,
            subject,
            headers,
            body,
            decoded,
            attempts: 0,
            parked_at: None,
        }
    }

    /// As the broker delivers it from a stream.
    pub fn from_message(message: &Message, incarnation: i64) -> Self {
        let place = Place {
            incarnation,
            sequence: message.info().map_or(0, |info| info.stream_sequence),
        };
        Self::at(place, message.message.clone())
    }

    /// A message from a known place.
    pub fn at(place: Place, message: async_nats::Message) -> Self {
        let headers = message.headers.unwrap_or_default();
        Self::new(place, message.subject.to_string(), headers, message.payload)
    }

    /// The key whose order matters. What cannot be read has none: anybody may have put it there,
    /// and nothing is to wait behind it.
    pub fn lane(&self) -> Option<&str> {
        let key = self.subject.rsplit('.').next();
        key.filter(|_| self.decoded.is_ok())
    }

    pub fn event_id(&self) -> Option<Uuid> {
        self.decoded.as_ref().ok().map(|event| event.envelope.id.0)
    }

    /// The first person that it names, as logs name people today.
    pub fn pseudonym(&self) -> Option<String> {
        let named = self.decoded.as_ref().ok()?.people();
        let user = named.iter().find(|named| named.kind == Mention::User)?;
        Some(pseudonym(user.id))
    }

    pub fn name(&self) -> Option<EventName> {
        let contract = self.decoded.as_ref().ok()?.contract;
        Some((contract.entity, contract.kind))
    }

    /// Who is named: as the catalogue tells, or whatever looks like an id in what cannot be read.
    pub fn people(&self) -> Vec<Uuid> {
        if let Ok(event) = &self.decoded {
            return event.people().iter().map(|named| named.id).collect();
        }
        let mut ids = ids_in(self.subject.as_bytes());
        ids.extend(ids_in(&self.body));
        ids
    }
}
