//! The audit's SQL.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use super::digest::BUCKET;
use super::questions::Findings;
use crate::clock::Clock;
use crate::database::{DatabaseError, Session, Sql, json_text};
use crate::outbox::presence::SentRow;
use crate::sql;
use crate::unit_of_work::Work;

/// So many sent events are looked at together.
const BLOCK: i64 = 512;

const UNMATCHED: &str =
    "SELECT position, event_id, subject, message_id, bucket, stream_sequence, sent_at FROM outbox
    WHERE sent_at IS NOT NULL AND matched_at IS NULL AND stream = $1 AND stream_sequence <= $2
        AND sent_at < $3 AND bucket < $4
    ORDER BY stream_sequence LIMIT $5";
const SENT_BEFORE: &str =
    "SELECT position, event_id, subject, message_id, bucket, stream_sequence, sent_at FROM outbox
    WHERE sent_at IS NOT NULL AND stream = $1 AND position < $2 ORDER BY position DESC LIMIT $3";
const LOSSES: &str = "SELECT stream, incarnation, lost_since FROM progress WHERE consumer = $1 AND lost_since IS NOT NULL";
/// Unless more was lost meanwhile.
const END_LOSS: &str = "UPDATE progress SET lost_since = NULL
    WHERE consumer = $1 AND stream = $2 AND incarnation = $3 AND lost_since = $4";
const HANDLED_SINCE: Sql = Sql {
    sqlite: "SELECT event_id FROM inbox WHERE consumer = $1 AND handled_at >= $2
             AND event_id IN (SELECT unhex(value) FROM json_each($3))",
    postgres: "SELECT event_id FROM inbox WHERE consumer = $1 AND handled_at >= $2
               AND event_id IN (SELECT value::uuid FROM jsonb_array_elements_text($3::jsonb) AS v(value))",
};
const MATCH: Sql = Sql {
    sqlite: "UPDATE outbox SET matched_at = $1, missing = NULL
             WHERE matched_at IS NULL AND position IN (SELECT value FROM json_each($2))",
    postgres: "UPDATE outbox SET matched_at = $1, missing = NULL
               WHERE matched_at IS NULL AND position IN
                   (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb) AS v(value))",
};
const MISSED: Sql = Sql {
    sqlite: "UPDATE outbox SET missing = v.value->>1 FROM json_each($1) AS v
             WHERE position = v.value->>0 AND matched_at IS NULL",
    postgres:
        "UPDATE outbox SET missing = v.value->>1 FROM jsonb_array_elements($1::jsonb) AS v(value)
               WHERE position = (v.value->>0)::bigint AND matched_at IS NULL",
};
const BODIES: Sql = Sql {
    sqlite: "SELECT position, body FROM outbox WHERE position IN (SELECT value FROM json_each($1))",
    postgres: "SELECT position, body FROM outbox
               WHERE position IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
/// An event that could not be read is parked without its id.
const UNKNOWN: Sql = Sql {
    sqlite: "SELECT value->>0 FROM json_each($3)
             WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE consumer = $1 AND event_id = unhex(value->>0))
             AND unhex(value->>0) NOT IN (SELECT event_id FROM parked WHERE consumer = $1 AND event_id IS NOT NULL)
             AND value->>1 NOT IN (SELECT sequence FROM parked WHERE consumer = $1 AND stream = $2 AND event_id IS NULL)",
    postgres: "SELECT value->>0 FROM jsonb_array_elements($3::jsonb) AS v(value)
               WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE consumer = $1 AND event_id = (value->>0)::uuid)
               AND (value->>0)::uuid NOT IN (SELECT event_id FROM parked WHERE consumer = $1 AND event_id IS NOT NULL)
               AND (value->>1)::bigint NOT IN
                   (SELECT sequence FROM parked WHERE consumer = $1 AND stream = $2 AND event_id IS NULL)",
};
const WAITING: &str = "SELECT COUNT(*), MIN(bucket) FROM outbox
    WHERE sent_at IS NOT NULL AND matched_at IS NULL AND stream IS NOT NULL";
const MISSING: &str = "SELECT missing, COUNT(DISTINCT event_id) FROM outbox WHERE missing IS NOT NULL GROUP BY missing";
const REPAIRED: &str = "SELECT CAST(COALESCE(SUM(events), 0) AS BIGINT) FROM repair";
const OLDEST_UNSENT: &str = "SELECT MIN(position) FROM outbox WHERE sent_at IS NULL";

/// An event that was sent, and is not known yet to have reached everybody.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub event_id: Uuid,
    pub subject: String,
    pub bucket: i64,
    #[sqlx(flatten)]
    pub sent: SentRow,
}

impl Row {
    /// What kind of event it is: `rate.update.v2`.
    pub fn kind(&self) -> &str {
        self.subject
            .rsplit_once('.')
            .map_or(&*self.subject, |(kind, _)| kind)
    }
}

/// Which events are to be audited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// All consumers are past this sequence.
    pub passed: i64,
    /// Sent before, in microseconds since 1970.
    pub sent_before: i64,
    /// Of a bucket before this one.
    pub bucket: i64,
    pub limit: i64,
}

/// What a consumer's stream may have lost.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(super) struct Loss {
    pub stream: String,
    /// Which making of the stream has lost it.
    pub incarnation: i64,
    /// What was stored from this moment on, in microseconds since 1970.
    #[sqlx(rename = "lost_since")]
    pub since: i64,
}

/// What a consumer's streams may have lost.
pub(super) async fn losses(
    session: &mut Session,
    consumer: &str,
) -> Result<Vec<Loss>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(LOSSES).bind(consumer).fetch_all(c).await)?)
}

/// Notes that what was lost is there again.
pub(super) async fn end_loss(
    work: &mut Work,
    consumer: &str,
    loss: &Loss,
) -> Result<(), DatabaseError> {
    sql!(work, c => sqlx::query(END_LOSS).bind(consumer).bind(&loss.stream)
        .bind(loss.incarnation).bind(loss.since).execute(c).await.map(drop))?;
    Ok(())
}

/// The newest of the events that were sent before a position.
pub(super) async fn sent_before(
    session: &mut Session,
    stream: &str,
    position: i64,
) -> Result<Vec<Row>, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_as(SENT_BEFORE).bind(stream).bind(position)
        .bind(BLOCK).fetch_all(c).await)?,
    )
}

/// Which of these events a consumer has handled since a moment.
pub(super) async fn handled_since(
    session: &mut Session,
    consumer: &str,
    since: i64,
    events: &[Uuid],
) -> Result<Vec<Uuid>, DatabaseError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = events.iter().map(Uuid::as_simple).collect();
    let (text, list) = (HANDLED_SINCE.text(session.dialect()), json_text(&ids)?);
    Ok(
        sql!(session, c => sqlx::query_scalar(text).bind(consumer).bind(since)
        .bind(&list).fetch_all(c).await)?,
    )
}

pub(super) async fn unmatched(
    session: &mut Session,
    stream: &str,
    due: Due,
) -> Result<Vec<Row>, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_as(UNMATCHED).bind(stream).bind(due.passed)
        .bind(due.sent_before).bind(due.bucket).bind(due.limit).fetch_all(c).await)?,
    )
}

/// Notes that all consumers have these.
pub(super) async fn mark_matched(work: &mut Work, positions: &[i64]) -> Result<(), DatabaseError> {
    let (text, list) = (MATCH.text(work.dialect()), json!(positions).to_string());
    let now = work.clock().micros();
    sql!(work, c => sqlx::query(text).bind(now).bind(&list).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes who lacks what.
pub(super) async fn mark_missing(
    session: &mut Session,
    missing: &BTreeMap<i64, String>,
) -> Result<(), DatabaseError> {
    session.write_rows(MISSED, missing.iter().collect()).await
}

pub(super) async fn bodies(
    session: &mut Session,
    positions: &[i64],
) -> Result<BTreeMap<i64, String>, DatabaseError> {
    let (text, list) = (BODIES.text(session.dialect()), json!(positions).to_string());
    let rows: Vec<(i64, String)> =
        sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

/// Which of these events the consumer has neither in its inbox nor parked.
pub(super) async fn unknown(
    session: &mut Session,
    (consumer, stream): (&str, &str),
    events: &[(Uuid, i64)],
) -> Result<HashSet<Uuid>, DatabaseError> {
    let rows = events
        .iter()
        .map(|(event, sequence)| json!([event.simple().to_string(), sequence]));
    let list = rows.collect::<serde_json::Value>().to_string();
    let text = UNKNOWN.text(session.dialect());
    let found: Vec<String> = sql!(session, c => sqlx::query_scalar(text).bind(consumer).bind(stream)
        .bind(&list).fetch_all(c).await)?;
    Ok(found
        .iter()
        .filter_map(|id| Uuid::try_parse(id).ok())
        .collect())
}

pub(super) async fn findings(
    session: &mut Session,
    clock: &Clock,
) -> Result<Findings, DatabaseError> {
    let (unmatched, oldest): (i64, Option<i64>) =
        sql!(session, c => sqlx::query_as(WAITING).fetch_one(c).await)?;
    let repaired = sql!(session, c => sqlx::query_scalar(REPAIRED).fetch_one(c).await)?;
    let missing = missing(session).await?;
    let age = |bucket: i64| clock.now().timestamp() - bucket * BUCKET.as_secs().cast_signed();
    Ok(Findings {
        unmatched,
        oldest_unmatched_seconds: oldest.map(|bucket| age(bucket).max(0)),
        missing: missing.iter().map(|(_, events)| events).sum(),
        repaired,
    })
}

/// How many events which consumers lack; their names in one text.
pub(super) async fn missing(session: &mut Session) -> Result<Vec<(String, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(MISSING).fetch_all(c).await)?)
}

/// How long the oldest event has waited to be sent, in microseconds.
pub(super) async fn waits_to_be_sent(
    session: &mut Session,
    clock: &Clock,
) -> Result<i64, DatabaseError> {
    let oldest: Option<i64> =
        sql!(session, c => sqlx::query_scalar(OLDEST_UNSENT).fetch_one(c).await)?;
    Ok(oldest.map_or(0, |position| (clock.micros() - position).max(0)))
}
