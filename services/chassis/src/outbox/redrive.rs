//! Re-drive: what a stream has lost is published again from the rows that are kept. A stream may
//! be made anew, lose its end in a power failure, or come back from a backup.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use envelope::CATALOGUE;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use sqlx::FromRow;

use crate::bus::Bus;
use crate::database::{Database, DatabaseError, Sql};
use crate::lifecycle::Lifecycle;
use crate::sql;
use crate::unit_of_work::source;

const CHECK_EVERY: Duration = Duration::from_secs(5);
/// So many sent events are compared at a time, from the last one back, until all of them are
/// there: more than the relay sends side by side, so that what was lost from the end is seen.
const BLOCK: i64 = 512;
const LOOKS_AT_ONCE: usize = 64;
/// JetStream's error code for a stream that does not exist.
const NOT_FOUND: u64 = 10059;

const LOST: &str = "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
    WHERE sent_at IS NOT NULL AND subject LIKE $1 AND (incarnation <> $2 OR stream_sequence > $3)";
const SENT: &str = "SELECT position, message_id, stream_sequence FROM outbox
    WHERE sent_at IS NOT NULL AND subject LIKE $1 AND position < $2 ORDER BY position DESC LIMIT $3";
const UNSEND: Sql = Sql {
    sqlite: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
             WHERE position IN (SELECT value FROM json_each($1))",
    postgres: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
               WHERE position IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};

/// When the streams were made, in microseconds since 1970, as far as is known; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnations(Arc<Mutex<HashMap<&'static str, i64>>>);

impl Incarnations {
    /// When the stream of this subject was made; 0 while nobody has asked.
    pub fn of(&self, subject: &str) -> i64 {
        let entity = subject.split('.').next().unwrap_or_default();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(entity).copied().unwrap_or_default()
    }

    fn set(&self, entity: &'static str, made: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(entity, made);
    }
}

#[derive(Debug, FromRow)]
struct SentRow {
    position: i64,
    message_id: String,
    stream_sequence: i64,
}

/// What was seen of a stream last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    made: i64,
    last_sequence: u64,
}

/// Compares what was sent with what the streams have, until the process stops.
pub(crate) struct Redrive {
    database: Database,
    bus: Bus,
    incarnations: Incarnations,
    streams: Vec<&'static envelope::Stream>,
    seen: HashMap<&'static str, Seen>,
}

impl Redrive {
    pub fn new(database: Database, bus: Bus, incarnations: Incarnations) -> Self {
        let producer = source(database.service());
        let mut streams: Vec<&'static envelope::Stream> = Vec::new();
        for contract in CATALOGUE {
            let is_ours = contract.producer.service == producer;
            if is_ours
                && !streams
                    .iter()
                    .any(|known| known.name == contract.stream.name)
            {
                streams.push(contract.stream);
            }
        }
        Self {
            database,
            bus,
            incarnations,
            streams,
            seen: HashMap::new(),
        }
    }

    /// Checks now and then, and whenever the broker is there again.
    pub async fn run(mut self, lifecycle: Lifecycle) -> anyhow::Result<()> {
        let mut connections = self.bus.connections();
        while !lifecycle.is_stopping() {
            if let Err(error) = self.check().await {
                let (service, error) = (self.database.service(), format!("{error:#}"));
                tracing::debug!(service, error, "the streams cannot be compared now");
            }
            tokio::select! {
                () = tokio::time::sleep(CHECK_EVERY) => {}
                // A server that was away may have come back with less.
                _ = connections.changed() => self.seen.clear(),
                () = lifecycle.stopped() => {}
            }
        }
        Ok(())
    }

    async fn check(&mut self) -> anyhow::Result<()> {
        for declared in self.streams.clone() {
            let Some(stream) = self.open(declared.name).await? else {
                continue;
            };
            let info = stream.cached_info();
            let now = Seen {
                made: info.created.timestamp_micros(),
                last_sequence: info.state.last_sequence,
            };
            self.incarnations.set(declared.entity, now.made);
            let before = self.seen.get(declared.name);
            let goes_on = before.is_some_and(|before| {
                before.made == now.made && before.last_sequence <= now.last_sequence
            });
            if !goes_on {
                self.publish_lost(declared, &stream, now).await?;
            }
            self.seen.insert(declared.name, now);
        }
        Ok(())
    }

    async fn open(&self, name: &str) -> anyhow::Result<Option<Stream>> {
        match self.bus.jetstream().get_stream(name).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(inner) if inner.error_code().0 == NOT_FOUND => {
                    Ok(None)
                }
                _ => Err(error).with_context(|| format!("cannot look up {name}")),
            },
        }
    }

    /// Marks as unsent what the stream does not have, and wakes the relay.
    async fn publish_lost(
        &self,
        declared: &envelope::Stream,
        stream: &Stream,
        now: Seen,
    ) -> anyhow::Result<()> {
        let subjects = format!("{}.%", declared.entity);
        let mut work = self.database.begin().await?;
        let end = now.last_sequence.cast_signed();
        let mut lost = sql!(work, c => sqlx::query(LOST).bind(&subjects).bind(now.made).bind(end)
            .execute(c).await.map(|done| done.rows_affected()))
        .map_err(DatabaseError::from)?;
        work.commit().await?;
        lost += self.unsend_from_the_end(&subjects, stream).await?;
        if lost > 0 {
            let service = self.database.service();
            metrics::counter!("dipper_events_redriven_total", "service" => service, "stream" => declared.name.to_owned())
                .increment(lost);
            tracing::warn!(
                service,
                stream = declared.name,
                lost,
                "the stream has lost events; they are published again"
            );
            self.database.outbox_filled.notify_one();
        }
        Ok(())
    }

    /// Other events may have got the sequences of those that were lost.
    async fn unsend_from_the_end(&self, subjects: &str, stream: &Stream) -> anyhow::Result<u64> {
        let mut before = i64::MAX;
        let mut lost = 0;
        loop {
            let mut session = self.database.read().await?;
            let block: Vec<SentRow> = sql!(session, c => sqlx::query_as(SENT).bind(subjects)
                .bind(before).bind(BLOCK).fetch_all(c).await)
            .map_err(DatabaseError::from)?;
            drop(session);
            let Some(oldest) = block.last() else {
                return Ok(lost);
            };
            before = oldest.position;
            let missing = missing_in(stream, block).await?;
            if missing.is_empty() {
                return Ok(lost);
            }
            lost += missing.len() as u64;
            let mut work = self.database.begin().await?;
            work.write_rows(UNSEND, json!(missing)).await?;
            work.commit().await?;
        }
    }
}

/// The positions of those that the stream does not have.
async fn missing_in(stream: &Stream, block: Vec<SentRow>) -> anyhow::Result<Vec<i64>> {
    let looks = block.into_iter().map(|row| {
        let stream = stream.clone();
        async move {
            let is_there = is_there(&stream, &row).await?;
            anyhow::Ok((!is_there).then_some(row.position))
        }
    });
    let looks = stream::iter(looks).buffered(LOOKS_AT_ONCE);
    let found: Vec<Option<i64>> = looks.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether the stream holds this very event where it said so. What is too old to be kept counts
/// as there.
async fn is_there(stream: &Stream, row: &SentRow) -> anyhow::Result<bool> {
    let sequence = row.stream_sequence.unsigned_abs();
    if sequence < stream.cached_info().state.first_sequence {
        return Ok(true);
    }
    match stream.direct_get(sequence).await {
        Ok(message) => {
            let id = message.headers.get(NATS_MESSAGE_ID);
            Ok(id.is_some_and(|id| id.as_str() == row.message_id))
        }
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("cannot look up a sent event"),
    }
}
