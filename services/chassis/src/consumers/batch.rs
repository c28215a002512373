//! The runner of consumers with a database: a batch of events in one transaction.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use envelope::{EventId, decode};
use futures::StreamExt as _;
use uuid::Uuid;

use super::pull::Subscription;
use super::{Arrival, BoundHandler, EventName, Failure, Handled, dead};
use crate::database::{Database, DatabaseError, Sql};
use crate::sql;
use crate::unit_of_work::Work;

/// The most events in one transaction.
const BATCH: usize = 256;
/// A small batch costs as many flushes as a large one: after one, what comes next gathers so long.
const GATHER: Duration = Duration::from_millis(10);
const SMALL_BATCH: usize = 128;
/// After so many deliveries a transient failure is taken for a permanent one.
const MOST_ATTEMPTS: i64 = 12;
const DEPENDENCY_DELAY: Duration = Duration::from_secs(2);

const INBOX: Sql = Sql {
    sqlite: "INSERT INTO inbox (consumer, event_id, handled_at)
             SELECT $1, unhex(value), $2 FROM json_each($3) WHERE true
             ON CONFLICT DO NOTHING RETURNING event_id",
    postgres: "INSERT INTO inbox (consumer, event_id, handled_at)
               SELECT $1, value::uuid, $2 FROM jsonb_array_elements_text($3::jsonb) AS v(value)
               ON CONFLICT DO NOTHING RETURNING event_id",
};

/// Runs a service's consumer of one stream.
#[derive(Clone)]
pub(crate) struct Runner {
    pub from: Subscription,
    pub database: Database,
    pub handlers: Arc<HashMap<EventName, BoundHandler>>,
    pub any: Option<BoundHandler>,
}

/// A decoded event and the message that carries it.
struct Item {
    message: Message,
    arrival: Arrival,
}

/// Why a batch was not committed.
enum Setback {
    /// One or more of the events at these places failed; nothing of the batch was kept.
    Events(Range<usize>, Failure),
    Database(DatabaseError),
}

impl From<DatabaseError> for Setback {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl Runner {
    /// Reads until the stop.
    pub async fn run(self, consumer: PullConsumer) -> anyhow::Result<()> {
        self.from
            .keep_reading(consumer, |consumer| self.read(consumer))
            .await
    }

    async fn read(&self, consumer: PullConsumer) -> anyhow::Result<()> {
        let messages = self.from.pull(&consumer, BATCH).await?;
        let mut chunks = messages.ready_chunks(BATCH);
        loop {
            let chunk = tokio::select! {
                chunk = chunks.next() => chunk.context("the pull ended")?,
                () = self.from.lifecycle.stopped() => return Ok(()),
            };
            let mut broken = None;
            let mut batch = Vec::with_capacity(chunk.len());
            for message in chunk {
                match message {
                    Ok(message) => batch.push(message),
                    Err(error) => broken = Some(error),
                }
            }
            let is_small = batch.len() < SMALL_BATCH;
            self.handle(batch).await;
            if let Some(error) = broken {
                bail!("{}", error.kind());
            }
            if is_small {
                self.from.lifecycle.pause(GATHER).await;
            }
        }
    }

    /// Commits what can be committed; what cannot is put off or buried, by itself.
    async fn handle(&self, batch: Vec<Message>) {
        // What is still to be tried; the events that come first in the stream are the last here.
        let mut untried = vec![self.decode(batch).await];
        while let Some(mut items) = untried.pop() {
            if items.is_empty() {
                continue;
            }
            match self.attempt(&items).await {
                Ok(()) => {
                    for item in &items {
                        dead::acknowledge(&item.message).await;
                    }
                }
                Err(Setback::Events(places, failure)) if places.len() == 1 => {
                    let item = items.remove(places.start);
                    self.settle(&item.message, failure).await;
                    untried.push(items);
                }
                Err(Setback::Events(places, _)) => {
                    let later = items.split_off(places.start + places.len() / 2);
                    untried.extend([later, items]);
                }
                Err(Setback::Database(error)) => {
                    tracing::warn!(consumer = self.from.service, stream = self.from.stream, %error, "the database does not take events; they come again");
                    untried.push(items);
                    for item in untried.iter().flatten() {
                        dead::postpone(&item.message, DEPENDENCY_DELAY).await;
                    }
                    return;
                }
            }
        }
    }

    async fn decode(&self, batch: Vec<Message>) -> Vec<Item> {
        let mut items = Vec::with_capacity(batch.len());
        for message in batch {
            match decode(&message.subject, &message.payload) {
                Ok(decoded) => {
                    let (_, sequence, _) = dead::place(&message);
                    let arrival = Arrival {
                        decoded: Arc::new(decoded),
                        origin: (self.from.stream, sequence),
                    };
                    items.push(Item { message, arrival });
                }
                Err(error) => {
                    self.count("dead", 1);
                    dead::bury(
                        &self.from.bus,
                        &message,
                        self.from.service,
                        error.reason(),
                        &error.to_string(),
                    )
                    .await;
                }
            }
        }
        items
    }

    /// One transaction: fence, inbox, effects, new events.
    async fn attempt(&self, items: &[Item]) -> Result<(), Setback> {
        let mut work = self.database.begin().await?;
        let erased = self.erased(&mut work, items).await?;
        let mut fresh = self.insert_inbox(&mut work, items).await?;
        // An index needs every place of an event: one id may lie in several, e.g. in two majors.
        let wanted: Vec<(usize, &Arrival)> = items
            .iter()
            .map(|item| &item.arrival)
            .enumerate()
            .filter(|(place, arrival)| {
                let is_fresh = fresh.remove(&arrival.decoded.envelope.id.0);
                !erased.contains(place) && (is_fresh || self.any.is_some())
            })
            .collect();
        let mut rest = wanted.as_slice();
        while let Some((first, arrival)) = rest.first() {
            let handler = self.handler(arrival).ok_or_else(|| {
                let detail = "no handler for this event".to_owned();
                Setback::Events(*first..first + 1, Failure::Poison(detail))
            })?;
            let taken = match handler {
                BoundHandler::One(_) => 1,
                BoundHandler::Many(_) => rest
                    .iter()
                    .take_while(|(_, other)| name(other) == name(arrival))
                    .count(),
            };
            let (now, later) = rest.split_at(taken);
            let last = now.last().map_or(*first, |(place, _)| *place);
            let handling = match handler {
                BoundHandler::One(handle) => handle((*arrival).clone(), work),
                BoundHandler::Many(handle) => {
                    let together = now.iter().map(|(_, arrival)| (*arrival).clone());
                    handle(together.collect(), work)
                }
            };
            let Handled(next) = handling
                .await
                .map_err(|failure| Setback::Events(*first..last + 1, failure))?;
            work = next;
            rest = later;
        }
        work.commit().await?;
        self.count("handled", wanted.len() as u64);
        self.count("skipped", (items.len() - wanted.len()) as u64);
        Ok(())
    }

    fn handler(&self, arrival: &Arrival) -> Option<&BoundHandler> {
        self.any
            .as_ref()
            .or_else(|| self.handlers.get(&name(arrival)))
    }

    /// Places of events that name erased people. Erasure's own events are always let through.
    async fn erased(
        &self,
        work: &mut Work,
        items: &[Item],
    ) -> Result<HashSet<usize>, DatabaseError> {
        let people = |item: &Item| -> Vec<Uuid> {
            if item.arrival.decoded.contract.entity == "gdpr" {
                return Vec::new();
            }
            item.arrival
                .decoded
                .people()
                .into_iter()
                .map(|mentioned| mentioned.id)
                .collect()
        };
        let named: Vec<Vec<Uuid>> = items.iter().map(people).collect();
        let all: HashSet<Uuid> = named.iter().flatten().copied().collect();
        let all: Vec<Uuid> = all.into_iter().collect();
        let erased = work.erased_among(&all).await?;
        let places = named.iter().enumerate();
        Ok(places
            .filter(|(_, people)| self.any.is_none() && people.iter().any(|id| erased.contains(id)))
            .map(|(place, _)| place)
            .collect())
    }

    /// The ids that this consumer has not handled before.
    async fn insert_inbox(
        &self,
        work: &mut Work,
        items: &[Item],
    ) -> Result<HashSet<Uuid>, DatabaseError> {
        let ids: Vec<String> = items
            .iter()
            .map(|item| item.arrival.decoded.envelope.id)
            .collect::<HashSet<EventId>>()
            .into_iter()
            .map(|id| id.0.simple().to_string())
            .collect();
        let list = serde_json::Value::from(ids).to_string();
        let now = work.clock().micros();
        let text = INBOX.text(work.dialect());
        let fresh: Vec<Uuid> = sql!(work, c => sqlx::query_scalar(text)
            .bind(self.from.service).bind(now).bind(&list).fetch_all(c).await)?;
        Ok(fresh.into_iter().collect())
    }

    async fn settle(&self, message: &Message, failure: Failure) {
        let (_, _, attempts) = dead::place(message);
        match failure {
            Failure::Erased => {
                self.count("erased", 1);
                dead::acknowledge(message).await;
            }
            Failure::Dependency(what) => {
                tracing::info!(
                    consumer = self.from.service,
                    waiting_for = what,
                    "an event waits"
                );
                dead::postpone(message, DEPENDENCY_DELAY).await;
            }
            Failure::Transient(why) if attempts < MOST_ATTEMPTS => {
                tracing::debug!(
                    consumer = self.from.service,
                    why,
                    attempts,
                    "an event is tried again"
                );
                dead::postpone(message, backoff(attempts)).await;
            }
            Failure::Transient(why) => self.bury(message, "gave-up", &why).await,
            Failure::Poison(why) => self.bury(message, "poison", &why).await,
        }
    }

    async fn bury(&self, message: &Message, reason: &str, detail: &str) {
        self.count("dead", 1);
        dead::bury(&self.from.bus, message, self.from.service, reason, detail).await;
    }

    fn count(&self, outcome: &'static str, events: u64) {
        metrics::counter!("dipper_events_consumed_total", "consumer" => self.from.service, "outcome" => outcome)
            .increment(events);
    }
}

fn name(arrival: &Arrival) -> EventName {
    let contract = arrival.decoded.contract;
    (contract.entity, contract.kind)
}

/// Doubling from 200 ms to 30 s, with up to a quarter of jitter so that retries do not march in step.
pub(crate) fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 9) - 1).unwrap_or_default();
    let base = Duration::from_millis(200 * 2_u64.pow(doublings)).min(Duration::from_secs(30));
    base + base.mul_f64(rand::random::<f64>() / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_later_and_later_up_to_half_a_minute() {
        assert!(backoff(1) < Duration::from_millis(251));
        assert!(backoff(4) >= Duration::from_millis(1600));
        assert!(backoff(1000) <= Duration::from_secs(38));
    }
}
