//! Whether a stream still has what was sent to it.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{DirectGetErrorKind, RawMessageErrorKind, Stream};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::FromRow;

use crate::bus::Bus;
use crate::database::{Database, DatabaseError};
use crate::retention::swept_after;
use crate::sql;

/// So many sent events are compared at a time: more than the relay sends side by side.
const BLOCK: i64 = 512;
const LOOKS_AT_ONCE: usize = 64;
/// What is about to be too old may be gone by the broker's clock.
const CLOCKS_DIFFER: Duration = Duration::from_mins(1);
/// JetStream's error code for a stream that does not exist.
const NOT_FOUND: u64 = 10059;

const SENT: &str = "SELECT position, message_id, stream_sequence, sent_at FROM outbox
    WHERE sent_at IS NOT NULL AND subject LIKE $1 AND position < $2 ORDER BY position DESC LIMIT $3";

/// An event that was sent, and where it lies.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct SentRow {
    pub position: i64,
    pub message_id: String,
    pub stream_sequence: i64,
    pub sent_at: i64,
}

/// A stream as it is now, if there is one.
pub(crate) async fn open(bus: &Bus, name: &str) -> anyhow::Result<Option<Stream>> {
    match bus.jetstream().get_stream(name).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(inner) if inner.error_code().0 == NOT_FOUND => Ok(None),
            _ => Err(error).with_context(|| format!("cannot look up {name}")),
        },
    }
}

/// The sent events before a position whose subjects are like this, from the last one back.
pub(crate) async fn block(
    database: &Database,
    subjects: &str,
    before: i64,
) -> Result<Vec<SentRow>, DatabaseError> {
    let mut session = database.read().await?;
    Ok(sql!(session, c => sqlx::query_as(SENT).bind(subjects)
        .bind(before).bind(BLOCK).fetch_all(c).await)?)
}

/// Looks for every event that the outbox still has. Answers the positions of those that are lost.
pub(crate) async fn sweep(
    database: &Database,
    subjects: &str,
    stream: &Stream,
) -> anyhow::Result<Vec<i64>> {
    let mut before = i64::MAX;
    let mut missing = Vec::new();
    loop {
        let rows = block(database, subjects, before).await?;
        let Some(oldest) = rows.last() else {
            return Ok(missing);
        };
        before = oldest.position;
        missing.extend(missing_in(database, stream, rows).await?);
    }
}

/// The positions of those that the stream does not have.
pub(crate) async fn missing_in(
    database: &Database,
    stream: &Stream,
    rows: Vec<SentRow>,
) -> anyhow::Result<Vec<i64>> {
    let now = database.clock.micros();
    let looks = rows.into_iter().map(|row| {
        let stream = stream.clone();
        async move {
            let is_there = is_there(&stream, &row, now).await?;
            anyhow::Ok((!is_there).then_some(row.position))
        }
    });
    let looks = stream::iter(looks).buffered(LOOKS_AT_ONCE);
    let found: Vec<Option<i64>> = looks.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether the stream holds this very event where it said so. What is too old to be kept counts
/// as there. The server finds none where a block of its store is gone, cut short, or has a bit
/// that is not what it was.
async fn is_there(stream: &Stream, row: &SentRow, now: i64) -> anyhow::Result<bool> {
    let kept_for = stream.cached_info().config.max_age;
    let age = Duration::from_micros((now - row.sent_at).max(0).unsigned_abs());
    if !kept_for.is_zero() && age + CLOCKS_DIFFER > swept_after(kept_for) {
        return Ok(true);
    }
    let sequence = row.stream_sequence.unsigned_abs();
    let headers = match stream.direct_get(sequence).await {
        Ok(message) => message.headers,
        // A replica that lags behind may have answered: the leader knows.
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
            match stream.get_raw_message(sequence).await {
                Ok(message) => message.headers,
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {
                    return Ok(false);
                }
                Err(error) => return Err(error).context("cannot look up a sent event"),
            }
        }
        Err(error) => return Err(error).context("cannot look up a sent event"),
    };
    let id = headers.get(NATS_MESSAGE_ID);
    Ok(id.is_some_and(|id| id.as_str() == row.message_id))
}
