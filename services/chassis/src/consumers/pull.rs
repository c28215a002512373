//! Durable pull consumers, derived from the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::RawMessageErrorKind;
use envelope::{Reading, consumed_by};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::EventName;
use super::progress::Checkpoint;
use crate::bus::Bus;
use crate::lifecycle::Lifecycle;

/// How long the broker waits for an acknowledgement before it delivers again: so long, after a
/// crash, others wait for what an effect worker held. Whoever lives says in between that it does.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// A projection's worker says nothing in between, and begins anew where it was after a crash.
const ACK_WAIT_OF_PROJECTIONS: Duration = Duration::from_mins(1);
const MAX_ACK_PENDING: i64 = 16_384;
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const PULL_HEARTBEAT: Duration = Duration::from_secs(10);
/// How long a consumer beside the projection's stays when nobody reads.
const UNUSED_FOR: Duration = Duration::from_mins(5);
/// How long a server may take after its start until it can make consumers.
const READY_WITHIN: Duration = Duration::from_secs(30);
pub(crate) const RETRY_READING: Duration = Duration::from_millis(500);

/// What was made of a message, or why the pull broke.
pub(crate) type Pulled<T> = anyhow::Result<T>;

/// Which streams a service reads, and which subjects of each.
fn subscriptions(service: &str) -> BTreeMap<&'static str, Vec<String>> {
    let mut streams: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for contract in consumed_by(service) {
        let filters = streams.entry(contract.stream.name).or_default();
        let filter = contract.filter();
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    streams
}

fn is_wanted(filters: &[String], subject: &str) -> bool {
    let passes = |filter: &String| subject.starts_with(filter.trim_end_matches('*'));
    filters.is_empty() || filters.iter().any(passes)
}

/// The handlers must be exactly those that the catalogue declares.
pub(crate) fn check_table(
    service: &str,
    handled: impl Iterator<Item = EventName>,
) -> anyhow::Result<()> {
    let declared: BTreeSet<EventName> = consumed_by(service)
        .iter()
        .map(|contract| (contract.entity, contract.kind))
        .collect();
    let handled: BTreeSet<EventName> = handled.collect();
    let missing: Vec<_> = declared.difference(&handled).collect();
    let undeclared: Vec<_> = handled.difference(&declared).collect();
    ensure!(
        missing.is_empty() && undeclared.is_empty(),
        "{service} and the catalogue disagree: declared without a handler {missing:?}, handled without a declaration {undeclared:?}"
    );
    Ok(())
}

/// One stream as one service reads it.
///
/// The broker filters nothing: with one wildcard filter it delivered 5,000 messages a second of a
/// stream with 2,000 subjects, with three 1,000, and without any more than 30,000 (nats-server
/// 2.15.1, one core). What is not wanted is passed over here.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub service: &'static str,
    pub stream: &'static str,
    /// What is read of the stream; all of it when there is none.
    pub filters: Vec<String>,
    pub bus: Bus,
    pub lifecycle: Lifecycle,
}

impl Subscription {
    /// All that a service reads.
    pub fn all(service: &'static str, bus: &Bus, lifecycle: &Lifecycle) -> Vec<Self> {
        let one = |(stream, filters)| Self {
            service,
            stream,
            filters,
            bus: bus.clone(),
            lifecycle: lifecycle.clone(),
        };
        subscriptions(service).into_iter().map(one).collect()
    }

    /// Makes the durable consumer that effect workers share, or brings it to what the catalogue says.
    pub async fn ensure(&self) -> anyhow::Result<PullConsumer> {
        self.make(self.config(AckPolicy::Explicit, ACK_WAIT)).await
    }

    /// Makes the durable consumer of a projection: one acknowledgement stands for all before it.
    pub async fn ensure_projection(&self) -> anyhow::Result<PullConsumer> {
        let config = self.config(AckPolicy::All, ACK_WAIT_OF_PROJECTIONS);
        self.make(config).await
    }

    /// Makes the durable consumer before anybody reads. A server that has just started may not be
    /// able to yet.
    pub async fn prepare(&self, reading: Reading) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let made = match reading {
                Reading::Projection => self.ensure_projection().await,
                Reading::Effect => self.ensure().await,
            };
            match made {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > READY_WITHIN || self.lifecycle.is_stopping() => {
                    return Err(error);
                }
                Err(error) => self.warn("the consumer is not there yet", &error),
            }
            self.lifecycle.pause(RETRY_READING).await;
        }
    }

    /// A consumer of its own beside the projection's, which delivers from this sequence on. It keeps
    /// no account of what was handled, and the broker removes it when nobody reads for a while.
    pub async fn begin_beside(&self, sequence: u64) -> anyhow::Result<PullConsumer> {
        self.end_beside().await;
        let config = pull::Config {
            durable_name: Some(self.name_beside()),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: sequence,
            },
            max_ack_pending: 0,
            inactive_threshold: UNUSED_FOR,
            ..self.config(AckPolicy::None, ACK_WAIT)
        };
        self.make(config).await
    }

    /// Removes that consumer, if it is there.
    pub async fn end_beside(&self) {
        if let Ok(stream) = self.bus.jetstream().get_stream(self.stream).await {
            // There need not be one.
            let _ = stream.delete_consumer(&self.name_beside()).await;
        }
    }

    fn name_beside(&self) -> String {
        format!("{}-rebuild", self.service)
    }

    /// A projection's consumer that delivers from this sequence on, and the number of its last
    /// delivery before.
    pub async fn begin_at(&self, sequence: u64) -> anyhow::Result<(PullConsumer, u64)> {
        let mut consumer = self.ensure_projection().await?;
        let reset = consumer.reset(Some(sequence)).await;
        reset.with_context(|| format!("cannot set {} back on {}", self.service, self.stream))?;
        let last = consumer.cached_info().delivered.consumer_sequence;
        Ok((consumer, last))
    }

    /// Sets the consumer that effect workers share back, if it is past the end of its stream. One that
    /// lost its end, in a power failure say, would otherwise give those sequences to events that
    /// nobody is shown.
    pub async fn heed_the_end(&self) -> anyhow::Result<()> {
        let jetstream = self.bus.jetstream();
        let found =
            jetstream.get_consumer_from_stream::<pull::Config, _, _>(self.service, self.stream);
        let found = found.await;
        let mut consumer = found.with_context(|| format!("cannot look up {}", self.service))?;
        let stream = jetstream.get_stream(self.stream).await;
        let stream = stream.with_context(|| format!("cannot look up {}", self.stream))?;
        let end = stream.cached_info().state.last_sequence;
        if consumer.cached_info().delivered.stream_sequence > end {
            let reset = consumer.reset(Some(end + 1)).await;
            reset
                .with_context(|| format!("cannot set {} back on {}", self.service, self.stream))?;
            let (consumer, stream) = (self.service, self.stream);
            tracing::warn!(
                consumer,
                stream,
                "the stream has lost its end; reading on from there"
            );
        }
        Ok(())
    }

    /// Whether a message is one that the service reads.
    pub fn wants(&self, subject: &str) -> bool {
        is_wanted(&self.filters, subject)
    }

    fn config(&self, ack_policy: AckPolicy, ack_wait: Duration) -> pull::Config {
        pull::Config {
            durable_name: Some(self.service.to_owned()),
            ack_policy,
            ack_wait,
            // We count attempts ourselves; a message must never be given up silently.
            max_deliver: -1,
            max_ack_pending: MAX_ACK_PENDING,
            ..pull::Config::default()
        }
    }

    async fn make(&self, config: pull::Config) -> anyhow::Result<PullConsumer> {
        self.bus
            .jetstream()
            .create_consumer_on_stream(config, self.stream)
            .await
            .with_context(|| {
                format!(
                    "cannot make the consumer {} on {}",
                    self.service, self.stream
                )
            })
    }

    /// When the stream was made, in microseconds since 1970: one that was lost and made anew gives
    /// the old sequences to other events.
    pub async fn incarnation(&self) -> anyhow::Result<i64> {
        let stream = self.bus.jetstream().get_stream(self.stream).await;
        let stream = stream.with_context(|| format!("cannot look up {}", self.stream))?;
        let micros = stream.cached_info().created.timestamp_micros();
        Ok(micros)
    }

    /// Whether the stream still has what it had at a checkpoint. One that lost its end, in a power
    /// failure say, gives those sequences to other events.
    pub async fn still_holds(&self, checkpoint: &Checkpoint) -> anyhow::Result<bool> {
        let sequence = checkpoint.sequence.unsigned_abs();
        if sequence == 0 {
            return Ok(true);
        }
        let stream = self.bus.jetstream().get_stream(self.stream).await;
        let stream = stream.with_context(|| format!("cannot look up {}", self.stream))?;
        if stream.cached_info().state.last_sequence < sequence {
            return Ok(false);
        }
        match stream.get_raw_message(sequence).await {
            Ok(message) => {
                let stored_at = message.time.timestamp_nanos_opt().unwrap_or_default();
                Ok(stored_at == checkpoint.stored_at)
            }
            // Erased or too old; a place that was given to another event is not empty.
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(true),
            Err(error) => Err(error).context("cannot look up the last handled message"),
        }
    }

    /// Pulls up to so many messages at a time.
    pub async fn pull(
        &self,
        consumer: &PullConsumer,
        batch: usize,
    ) -> anyhow::Result<pull::Stream> {
        let messages = consumer
            .stream()
            .max_messages_per_batch(batch)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages();
        messages.await.context("cannot pull")
    }

    /// Fetches, and makes of each message what is handled, while the database is at work on what
    /// came before: the client asks for more only when it is polled.
    pub async fn fetch<T: Send + Sync + 'static>(
        &self,
        consumer: &PullConsumer,
        batch: usize,
        to: mpsc::Sender<Pulled<T>>,
        mut make: impl FnMut(Message) -> Pulled<T> + Send,
    ) -> anyhow::Result<()> {
        let mut messages = self.pull(consumer, batch).await?;
        while let Some(message) = messages.next().await {
            to.send(message.map_err(Into::into).and_then(&mut make))
                .await?;
        }
        bail!("the pull ended")
    }

    /// Reads until the stop; survives a lost connection, stream or consumer.
    pub async fn keep_reading<F, Fut>(&self, read: F) -> anyhow::Result<()>
    where
        F: Fn(PullConsumer) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        while !self.lifecycle.is_stopping() {
            let outcome = match self.ensure().await {
                Ok(consumer) => read(consumer).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.warn("reading a stream was interrupted; beginning again", &error);
                self.lifecycle.pause(RETRY_READING).await;
            }
        }
        Ok(())
    }

    pub fn warn(&self, what: &str, error: &anyhow::Error) {
        tracing::warn!(
            consumer = self.service,
            stream = self.stream,
            error = format!("{error:#}"),
            "{what}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_model_reads_ticks_and_their_corrections_and_nothing_else() {
        let streams = subscriptions("score-model");
        assert_eq!(
            streams.into_iter().collect::<Vec<_>>(),
            [(
                "TICK",
                ["tick.new.v1.*", "tick.update.v1.*"]
                    .map(str::to_owned)
                    .to_vec()
            )]
        );
    }

    #[test]
    fn what_a_service_does_not_read_is_passed_over() {
        let filters = subscriptions("score-model").remove("TICK").unwrap();
        assert!(is_wanted(&filters, "tick.new.v1.someone"));
        for other in ["tick.delete.v1.someone", "tick.new.v10.someone", "tick.new"] {
            assert!(!is_wanted(&filters, other), "{other}");
        }
        assert!(
            is_wanted(&[], "tick.delete.v1.someone"),
            "an index reads all"
        );
    }

    #[test]
    fn a_handler_that_the_catalogue_does_not_know_is_refused() {
        let declared = [("tick", "new"), ("tick", "update")];
        assert!(check_table("score-model", declared.into_iter()).is_ok());
        let undeclared = [("tick", "new"), ("tick", "update"), ("user", "login")];
        assert!(check_table("score-model", undeclared.into_iter()).is_err());
        assert!(check_table("score-model", std::iter::empty()).is_err());
    }
}
