//! What the broker tells about itself: streams, consumers, dead letters.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Info, Stream};
use chassis::bus::{Bus, without_key};
use chassis::consumers::dead::headers;
use chrono::{DateTime, Utc};
use envelope::STREAMS;
use envelope::catalogue::DEAD;
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use serde::Serialize;
use utoipa::ToSchema;

/// How many sequences one request for dead letters looks at; erased ones leave gaps.
const MOST_LOOKS: usize = 1_000;
/// How many of these looks are under way at the same time.
const LOOKS_AT_ONCE: usize = 16;
/// What a dead letter's subject begins with.
const DEAD_PREFIX: &str = "dead.";

/// The broker did not tell what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the broker did not tell about {what}: {why}")]
pub(crate) struct BrokerError {
    what: &'static str,
    why: String,
}

impl BrokerError {
    fn new(what: &'static str, why: impl std::fmt::Display) -> Self {
        let why = why.to_string();
        Self { what, why }
    }
}

/// A stream, now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StreamView {
    /// Its name.
    pub(crate) name: String,
    /// How many messages it holds.
    pub(crate) messages: u64,
    /// How large it is.
    pub(crate) bytes: u64,
    /// Its first sequence.
    pub(crate) first_seq: u64,
    /// Its last sequence.
    pub(crate) last_seq: u64,
    /// When its oldest message was stored; null when it is empty.
    pub(crate) oldest_at: Option<DateTime<Utc>>,
    /// How long it keeps messages; null for ever.
    pub(crate) retention_seconds: Option<u64>,
}

/// A consumer, now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConsumerView {
    /// The stream it reads.
    pub(crate) stream: String,
    /// Its name: the service's.
    pub(crate) name: String,
    /// How many messages wait to be delivered.
    pub(crate) pending: u64,
    /// How many were delivered and not acknowledged yet.
    pub(crate) ack_pending: usize,
    /// How many of these were delivered before.
    pub(crate) redelivered: usize,
}

/// An event that a consumer gave up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// Its sequence in the stream of dead letters.
    pub(crate) id: String,
    /// What kind of event it was, without its key.
    pub(crate) origin_subject: String,
    /// Who gave it up.
    pub(crate) consumer: String,
    /// Why, as a stable word.
    pub(crate) reason: String,
    /// Why, in words.
    pub(crate) detail: String,
    /// How often it was tried.
    pub(crate) attempts: u64,
    /// The stream it came from.
    pub(crate) origin_stream: String,
    /// Its sequence there.
    pub(crate) origin_sequence: u64,
    /// When it was given up.
    pub(crate) died_at: DateTime<Utc>,
}

/// A part of the dead letters, the newest first.
pub(crate) struct Letters {
    /// The letters.
    pub(crate) letters: Vec<DeadLetter>,
    /// The last sequence that was looked at, if there are lower ones.
    pub(crate) next: Option<u64>,
}

/// All streams of the catalogue.
pub(crate) async fn streams(bus: &Bus) -> Result<Vec<StreamView>, BrokerError> {
    let views = STREAMS.iter().map(|declared| async move {
        let stream = open(bus, declared.name).await?;
        Ok(stream_view(stream.cached_info()))
    });
    future::try_join_all(views).await
}

/// All consumers of all streams.
pub(crate) async fn consumers(bus: &Bus) -> Result<Vec<ConsumerView>, BrokerError> {
    let views = STREAMS.iter().map(|declared| async move {
        let stream = open(bus, declared.name).await?;
        let found: Vec<consumer::Info> = stream
            .consumers()
            .try_collect()
            .await
            .map_err(|error| BrokerError::new("its consumers", error))?;
        Ok(found.into_iter().map(consumer_view).collect::<Vec<_>>())
    });
    Ok(future::try_join_all(views).await?.concat())
}

/// Dead letters from below a sequence, read from their stream: there is no copy to erase.
pub(crate) async fn dead_letters(
    bus: &Bus,
    below: Option<u64>,
    limit: usize,
) -> Result<Letters, BrokerError> {
    let stream = open(bus, DEAD.name).await?;
    let state = &stream.cached_info().state;
    let last = below.map_or(state.last_sequence, |below| {
        state.last_sequence.min(below.saturating_sub(1))
    });
    let first = state.first_sequence.max(1);
    let looks = (first..=last).rev().take(MOST_LOOKS);
    let looks = looks.map(|sequence| look(&stream, sequence));
    let mut looks = stream::iter(looks).buffered(LOOKS_AT_ONCE);
    let mut letters = Vec::with_capacity(limit);
    let mut lowest = None;
    while letters.len() < limit
        && let Some(looked) = looks.next().await
    {
        let (sequence, message) = looked?;
        lowest = Some(sequence);
        letters.extend(message.as_ref().map(dead_letter));
    }
    let next = lowest.filter(|lowest| *lowest > first);
    Ok(Letters { letters, next })
}

async fn open(bus: &Bus, name: &'static str) -> Result<Stream, BrokerError> {
    let stream = bus.jetstream().get_stream(name).await;
    stream.map_err(|error| BrokerError::new(name, error))
}

async fn look(stream: &Stream, sequence: u64) -> Result<(u64, Option<StreamMessage>), BrokerError> {
    match stream.direct_get(sequence).await {
        Ok(message) => Ok((sequence, Some(message))),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok((sequence, None)),
        Err(error) => Err(BrokerError::new("a dead letter", error.kind())),
    }
}

fn stream_view(info: &Info) -> StreamView {
    let state = &info.state;
    StreamView {
        name: info.config.name.clone(),
        messages: state.messages,
        bytes: state.bytes,
        first_seq: state.first_sequence,
        last_seq: state.last_sequence,
        oldest_at: (state.messages > 0).then_some(state.first_timestamp),
        retention_seconds: kept_for(info.config.max_age),
    }
}

/// The broker writes "for ever" as zero.
fn kept_for(max_age: Duration) -> Option<u64> {
    (!max_age.is_zero()).then_some(max_age.as_secs())
}

fn consumer_view(info: consumer::Info) -> ConsumerView {
    ConsumerView {
        stream: info.stream_name,
        name: info.name,
        pending: info.num_pending,
        ack_pending: info.num_ack_pending,
        redelivered: info.num_redelivered,
    }
}

fn dead_letter(message: &StreamMessage) -> DeadLetter {
    let subject = message.subject.as_str();
    let origin = subject.strip_prefix(DEAD_PREFIX).unwrap_or(subject);
    let text = |name: &str| text(&message.headers, name);
    DeadLetter {
        id: message.sequence.to_string(),
        origin_subject: without_key(origin),
        consumer: text(headers::CONSUMER),
        reason: text(headers::REASON),
        detail: text(headers::DETAIL),
        attempts: text(headers::ATTEMPTS).parse().unwrap_or_default(),
        origin_stream: text(headers::ORIGIN_STREAM),
        origin_sequence: text(headers::ORIGIN_SEQUENCE).parse().unwrap_or_default(),
        died_at: message.time,
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.as_str().to_owned());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> StreamMessage {
        let mut map = HeaderMap::new();
        map.insert(headers::CONSUMER, "statistics");
        map.insert(headers::REASON, "schema");
        map.insert(headers::ATTEMPTS, "3");
        map.insert(headers::ORIGIN_STREAM, "TICK");
        map.insert(headers::ORIGIN_SEQUENCE, "17");
        StreamMessage {
            subject: "dead.tick.new.v1.0b0e3b52-3b55-4f0c-a8a2-7a5a1c1d1e11".into(),
            sequence: 5,
            headers: map,
            payload: "{}".into(),
            time: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_dead_letter_does_not_show_whose_it_was() {
        let letter = dead_letter(&message());
        assert_eq!(letter.origin_subject, "tick.new.v1");
        assert_eq!(
            (letter.id.as_str(), letter.consumer.as_str()),
            ("5", "statistics")
        );
        assert_eq!((letter.attempts, letter.origin_sequence), (3, 17));
        assert_eq!(letter.detail, "");
    }

    #[test]
    fn no_age_limit_is_for_ever() {
        assert_eq!(kept_for(Duration::ZERO), None);
        assert_eq!(kept_for(Duration::from_mins(1)), Some(60));
    }
}
