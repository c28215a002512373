//! Answers that their stream lost after they were handled. What a service without a database
//! publishes is in no outbox: only its own answer to the same event brings it back, and whoever
//! published that event has it answered again.

use std::collections::{HashMap, HashSet};

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::stream::Stream;
use futures::TryStreamExt as _;
use uuid::Uuid;

use super::comparison::Comparison;
use super::questions::{Again, Digests};
use super::store::{self, Loss, Row};
use super::{Pace, readers};
use crate::bus::Bus;
use crate::bus::reading::messages;
use crate::database::Database;
use crate::lifecycle::Lifecycle;
use crate::outbox::presence;
use crate::rpc::ask_service;
use crate::unit_of_work::source;

/// Looks now and then whether a stream that the service reads has lost something, until the stop.
pub(super) async fn keep_restoring(
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
    pace: Pace,
) -> anyhow::Result<()> {
    while lifecycle.pause(pace.every).await {
        if let Err(error) = restore_all(&database, &bus).await {
            let (service, error) = (database.service(), format!("{error:#}"));
            tracing::debug!(service, error, "lost answers cannot be restored now");
        }
    }
    Ok(())
}

async fn restore_all(database: &Database, bus: &Bus) -> anyhow::Result<()> {
    let own = database.service();
    let mut session = database.read().await?;
    let losses = store::losses(&mut session, own).await?;
    drop(session);
    for loss in losses {
        // What lacked at first, and was given again, is there at a second look.
        if is_restored(database, bus, &loss).await? || is_restored(database, bus, &loss).await? {
            let mut work = database.begin().await?;
            store::end_loss(&mut work, own, &loss).await?;
            work.commit().await?;
        }
    }
    Ok(())
}

/// Has lost answers given again, and says whether none lacked.
async fn is_restored(database: &Database, bus: &Bus, loss: &Loss) -> anyhow::Result<bool> {
    let producer = source(database.service());
    let mut is_whole = true;
    for (stream, reader) in readers::answered_in(&producer, &loss.stream) {
        let question = Digests {
            source: producer.clone(),
            stream: stream.to_owned(),
            buckets: Vec::new(),
        };
        // Whoever keeps an inbox has an outbox too, and publishes from there what is lost.
        if ask_service(bus, reader, &question).await?.is_some() {
            continue;
        }
        let search = Search {
            comparison: Comparison {
                database,
                bus,
                producer: &producer,
                stream,
                reader,
                answered: 0,
            },
            loss,
        };
        is_whole &= search.restore().await?;
    }
    Ok(is_whole)
}

struct Search<'a> {
    comparison: Comparison<'a>,
    loss: &'a Loss,
}

impl Search<'_> {
    async fn restore(&self) -> anyhow::Result<bool> {
        let Comparison {
            database,
            bus,
            stream,
            ..
        } = self.comparison;
        let Some(answers) = presence::open(bus, &self.loss.stream).await? else {
            return Ok(false);
        };
        let there = ids_since(&answers, self.loss.since).await?;
        let (mut before, mut is_whole, mut lost) = (i64::MAX, true, 0);
        loop {
            let mut session = database.read().await?;
            let rows = store::sent_before(&mut session, stream, before).await?;
            drop(session);
            let Some(oldest) = rows.last() else {
                break;
            };
            before = oldest.sent.position;
            let lacking = self.handled_and_not_in(&there, &rows).await?;
            lost += lacking.len();
            let told = self.comparison.answer_again(&lacking).await?;
            // The broker may still know an answer by its id, and not have stored it: the next round
            // finds out.
            is_whole &= told.iter().all(|(_, again)| *again == Again::Needless);
        }
        if lost > 0 {
            let (service, stream) = (database.service(), &self.loss.stream);
            tracing::warn!(
                service,
                stream,
                lost,
                "the stream has lost answers; they are given again"
            );
        }
        Ok(is_whole)
    }

    /// Those whose answers were handled here, and are not in their stream.
    async fn handled_and_not_in<'r>(
        &self,
        there: &HashSet<Uuid>,
        rows: &'r [Row],
    ) -> anyhow::Result<Vec<&'r Row>> {
        let reader = self.comparison.reader;
        let asked = rows.iter().filter(|row| readers::reads(reader, row.kind()));
        let by_answer = self.comparison.answers_to(asked.collect()).await?;
        let missing: HashMap<Uuid, &Row> = by_answer
            .into_iter()
            .filter(|(answer, _)| !there.contains(answer))
            .collect();
        let ids: Vec<Uuid> = missing.keys().copied().collect();
        let database = self.comparison.database;
        let mut session = database.read().await?;
        let handled = store::handled_since(&mut session, database.service(), self.loss.since, &ids);
        let handled = handled.await?;
        Ok(handled
            .iter()
            .filter_map(|id| missing.get(id).copied())
            .collect())
    }
}

/// The ids of the events that a stream stored since a moment.
async fn ids_since(stream: &Stream, since: i64) -> anyhow::Result<HashSet<Uuid>> {
    let state = &stream.cached_info().state;
    // Of a stream that was made anew and is empty yet, both are 0, which is no sequence.
    let newest_first = (state.first_sequence.max(1)..=state.last_sequence).rev();
    let mut messages = std::pin::pin!(messages(stream, newest_first));
    let mut ids = HashSet::new();
    while let Some(message) = messages.try_next().await? {
        if message.time.timestamp_micros() < since {
            break;
        }
        let id = message.headers.get(NATS_MESSAGE_ID);
        ids.extend(id.and_then(|id| event_of(id.as_str())));
    }
    Ok(ids)
}

/// The event that a message id names, in whatever version and however often it was published.
fn event_of(message_id: &str) -> Option<Uuid> {
    message_id.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_names_its_event() {
        let event = Uuid::from_u128(7);
        assert_eq!(event_of(&format!("{event}:v2")), Some(event));
        assert_eq!(event_of(&format!("{event}:v1:again-2")), Some(event));
        assert_eq!(event_of("somebody else's"), None);
    }
}
