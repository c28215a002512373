//! What the broker tells about itself: streams and consumers.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer;
use async_nats::jetstream::stream::{Info, Stream};
use chassis::bus::Bus;
use chrono::{DateTime, Utc};
use envelope::{CATALOGUE, STREAMS};
use futures::{TryStreamExt as _, future};
use serde::Serialize;
use utoipa::ToSchema;

/// The broker did not tell what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the broker did not tell about {what}: {why}")]
pub(crate) struct BrokerError {
    what: &'static str,
    why: String,
}

impl BrokerError {
    pub(crate) fn new(what: &'static str, why: impl std::fmt::Display) -> Self {
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
    /// The services that publish what is in it, by the catalogue.
    pub(crate) producers: Vec<&'static str>,
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

/// A stream, with what the broker says about it now.
pub(crate) async fn open(bus: &Bus, name: &'static str) -> Result<Stream, BrokerError> {
    let stream = bus.jetstream().get_stream(name).await;
    stream.map_err(|error| BrokerError::new(name, error))
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
        producers: producers(&info.config.name),
    }
}

/// Who publishes to a stream: `services/TickAPI` is `TickAPI` here.
fn producers(stream: &str) -> Vec<&'static str> {
    let contracts = CATALOGUE.iter().filter(|one| one.stream.name == stream);
    let names = contracts.map(
        |one| match one.producer.service.trim_start_matches("services/") {
            "*" => "every service",
            name => name,
        },
    );
    let names: BTreeSet<_> = names.collect();
    names.into_iter().collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_publishes_to_a_stream_is_named_once() {
        assert_eq!(producers("RATE"), ["TickAPI"]);
        assert_eq!(producers("GDPR"), ["TickAPI", "UserAPI", "every service"]);
    }

    #[test]
    fn no_age_limit_is_for_ever() {
        assert_eq!(kept_for(Duration::ZERO), None);
        assert_eq!(kept_for(Duration::from_mins(1)), Some(60));
    }
}
