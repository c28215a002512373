//! How far a consumer is in a stream, and what became of what it was offered.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use sqlx::FromRow;

use super::parking::Lot;
use crate::bus::Bus;
use crate::clock::micros;
use crate::database::{Database, DatabaseError, Session};
use crate::sql;

const FIND: &str = "SELECT incarnation, checkpoint, checkpoint_time FROM progress
    WHERE consumer = $1 AND stream = $2";
const HANDLED: &str =
    "SELECT CAST(COALESCE(SUM(processed + repeated + erased + skipped), 0) AS BIGINT)
    FROM progress WHERE consumer = $1";
const BEGIN: &str = "INSERT INTO progress (consumer, stream, incarnation, checkpoint, checkpoint_time, offered, processed, repeated, erased, skipped)
    VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0)
    ON CONFLICT (consumer, stream) DO UPDATE SET incarnation = $3, checkpoint = 0, checkpoint_time = 0";
const NOTE_LOSS: &str =
    "UPDATE progress SET lost_since = CASE WHEN lost_since < $3 THEN lost_since ELSE $3 END
    WHERE consumer = $1 AND stream = $2";
const ADVANCE: &str =
    "UPDATE progress SET checkpoint = $3, checkpoint_time = $4, offered = offered + $5,
    processed = processed + $6, repeated = repeated + $7, erased = erased + $8, skipped = skipped + $9
    WHERE consumer = $1 AND stream = $2";
const ADD: &str = "UPDATE progress SET offered = offered + $3, processed = processed + $4,
    repeated = repeated + $5, erased = erased + $6
    WHERE consumer = $1 AND stream = $2";

/// A consumer's place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Checkpoint {
    /// When the stream was made, in microseconds since 1970.
    pub incarnation: i64,
    /// All up to this sequence is handled or parked.
    #[sqlx(rename = "checkpoint")]
    pub sequence: i64,
    /// When the broker stored the message there, in nanoseconds since 1970.
    #[sqlx(rename = "checkpoint_time")]
    pub stored_at: i64,
}

/// So long before its end a stream may have lost what it had: a server flushes every two minutes
/// if nothing else is set, and clocks differ.
const UNFLUSHED: Duration = Duration::from_mins(10);

impl Checkpoint {
    /// Since when the stream may have lost what it stored, if it is not what it was: in microseconds
    /// since 1970.
    pub fn lost_since(&self, incarnation: i64) -> i64 {
        if self.incarnation == incarnation {
            (self.stored_at / 1000 - micros(UNFLUSHED)).max(0)
        } else {
            0
        }
    }
}

/// What became of the events of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many came for the first time, from a stream; of those from the parking lot none do.
    pub offered: i64,
    /// How many had their effect.
    pub processed: i64,
    /// How many had it before.
    pub repeated: i64,
    /// How many name somebody who was erased.
    pub erased: i64,
    /// How many nobody wants any more; only what is built anew comes upon such.
    pub skipped: i64,
}

/// How many events a consumer is done with, in all its streams: as long as it is the same, nothing
/// that follows from events has changed.
pub async fn handled(session: &mut Session, consumer: &'static str) -> Result<i64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(HANDLED).bind(consumer).fetch_one(c).await)?)
}

/// Up to when a service has handled what it was given in a stream, in microseconds since 1970: now,
/// if nothing waits there; otherwise when the broker stored the last event that was handled.
pub async fn handled_until(
    database: &Database,
    bus: &Bus,
    stream: &'static str,
) -> Result<i64, DatabaseError> {
    let (now, consumer) = (database.clock.micros(), database.service());
    let found = bus
        .jetstream()
        .get_consumer_from_stream::<pull::Config, _, _>(consumer, stream)
        .await;
    if let Ok(found) = found
        && found.cached_info().num_pending == 0
        && found.cached_info().num_ack_pending == 0
    {
        return Ok(now);
    }
    let lot = Lot { consumer, stream };
    let checkpoint = lot.checkpoint(&mut database.read().await?).await?;
    Ok(checkpoint.map_or(0, |checkpoint| checkpoint.stored_at / 1000))
}

impl Lot {
    /// Where the consumer is, if it ever began.
    pub async fn checkpoint(
        self,
        session: &mut Session,
    ) -> Result<Option<Checkpoint>, DatabaseError> {
        Ok(
            sql!(session, c => sqlx::query_as(FIND).bind(self.consumer).bind(self.stream)
            .fetch_optional(c).await)?,
        )
    }

    /// Begins at the first message of a stream, or once more in one that was made anew.
    pub async fn begin(self, session: &mut Session, incarnation: i64) -> Result<(), DatabaseError> {
        sql!(session, c => sqlx::query(BEGIN).bind(self.consumer).bind(self.stream).bind(incarnation)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that the stream may have lost what it stored since a moment.
    pub async fn note_loss(self, session: &mut Session, since: i64) -> Result<(), DatabaseError> {
        sql!(session, c => sqlx::query(NOTE_LOSS).bind(self.consumer).bind(self.stream).bind(since)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Moves the checkpoint, in the transaction of what was done up to there.
    pub async fn advance(
        self,
        session: &mut Session,
        to: Checkpoint,
        tally: Tally,
    ) -> Result<(), DatabaseError> {
        sql!(session, c => sqlx::query(ADVANCE).bind(self.consumer).bind(self.stream)
            .bind(to.sequence).bind(to.stored_at)
            .bind(tally.offered).bind(tally.processed).bind(tally.repeated).bind(tally.erased)
            .bind(tally.skipped).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Counts, for workers that go on where the broker says.
    pub async fn add(self, session: &mut Session, tally: Tally) -> Result<(), DatabaseError> {
        sql!(session, c => sqlx::query(ADD).bind(self.consumer).bind(self.stream)
            .bind(tally.offered).bind(tally.processed).bind(tally.repeated).bind(tally.erased)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
