//! The questions' SQL.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Inspected, Known, Parked, Place, Produced, Status, fingerprint};
use crate::bus::without_key;
use crate::consumers::offered::Offered;
use crate::database::{DatabaseError, Session};
use crate::sql;
use crate::unit_of_work::Work;

/// Parked events with how many of their lane are behind them.
macro_rules! parked_where {
    ($condition:literal) => {
        concat!(
            "SELECT stream, incarnation, sequence, subject, event_id, status, reason, detail, attempts, due_at, parked_at,
                (SELECT COUNT(*) FROM parked AS behind WHERE behind.consumer = one.consumer AND behind.stream = one.stream
                    AND behind.lane = one.lane
                    AND (behind.incarnation, behind.sequence) > (one.incarnation, one.sequence)) AS behind
            FROM parked AS one WHERE ",
            $condition
        )
    };
}

const COUNTS: &str =
    "SELECT stream, status, events, oldest_at FROM delivery_status WHERE consumer = $1";
const OFFERED: &str = "SELECT stream, offered FROM progress WHERE consumer = $1";
const PARKED: &str = parked_where!(
    "consumer = $1 AND (stream, incarnation, sequence) > ($2, $3, $4) AND ($5 = '' OR status = $5)
    ORDER BY stream, incarnation, sequence LIMIT $6"
);
const PARKED_EVENT: &str = parked_where!("consumer = $1 AND event_id = $2");
const PARKED_AT: &str =
    parked_where!("consumer = $1 AND stream = $2 AND incarnation = $3 AND sequence = $4");
const PRODUCED: &str = "SELECT subject, stream_sequence FROM outbox WHERE event_id = $1 ORDER BY position DESC LIMIT 1";
const HANDLED: &str = "SELECT handled_at FROM inbox WHERE consumer = $1 AND event_id = $2";
const FIND: &str = "SELECT subject, headers, body, status, reason, detail FROM parked
    WHERE consumer = $1 AND stream = $2 AND incarnation = $3 AND sequence = $4";
const RETRY: &str = "UPDATE parked SET status = 'retry', due_at = 0, lane = $5, event_id = $6
    WHERE consumer = $1 AND stream = $2 AND incarnation = $3 AND sequence = $4 AND status = 'failed'";
const DELETE: &str = "DELETE FROM parked
    WHERE consumer = $1 AND stream = $2 AND incarnation = $3 AND sequence = $4 AND status = 'failed'
    RETURNING event_id";
const NEVER_AGAIN: &str =
    "INSERT INTO inbox (consumer, event_id, handled_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const SKIPPED: &str =
    "UPDATE progress SET skipped = skipped + 1 WHERE consumer = $1 AND stream = $2";

/// A line of the view.
#[derive(Debug, FromRow)]
pub(super) struct Line {
    pub stream: String,
    pub status: String,
    pub events: i64,
    pub oldest_at: Option<i64>,
}

#[derive(Debug, FromRow)]
struct Row {
    stream: String,
    incarnation: i64,
    sequence: i64,
    subject: String,
    event_id: Option<Uuid>,
    status: String,
    reason: String,
    detail: String,
    attempts: i64,
    due_at: i64,
    parked_at: i64,
    behind: i64,
}

/// How it stands with a parked event.
#[derive(Debug, FromRow)]
pub(super) struct State {
    pub subject: String,
    pub headers: String,
    pub body: Vec<u8>,
    pub status: String,
    pub reason: String,
    pub detail: String,
}

pub(super) async fn lines(
    session: &mut Session,
    consumer: &str,
) -> Result<Vec<Line>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(COUNTS).bind(consumer).fetch_all(c).await)?)
}

/// How many events of each stream the consumer was offered.
pub(super) async fn offered(
    session: &mut Session,
    consumer: &str,
) -> Result<Vec<(String, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(OFFERED).bind(consumer).fetch_all(c).await)?)
}

pub(super) async fn parked(
    session: &mut Session,
    consumer: &str,
    status: Option<Status>,
    after: &Place,
    limit: i64,
) -> Result<Vec<Parked>, DatabaseError> {
    let status = status.map_or("", word);
    let rows: Vec<Row> = sql!(session, c => sqlx::query_as(PARKED).bind(consumer)
        .bind(&after.stream).bind(after.incarnation).bind(after.sequence)
        .bind(status).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| row.parked(consumer)).collect())
}

/// What is parked at a place, with its bytes.
pub(super) async fn inspect(
    session: &mut Session,
    consumer: &str,
    place: &Place,
) -> Result<Option<Inspected>, DatabaseError> {
    let row: Option<Row> = sql!(session, c => sqlx::query_as(PARKED_AT).bind(consumer)
        .bind(&place.stream).bind(place.incarnation).bind(place.sequence).fetch_optional(c).await)?;
    let state = state(session, consumer, place).await?;
    Ok(row
        .zip(state)
        .map(|(row, state)| Inspected::new(row.parked(consumer), &state.body)))
}

/// All that the tables say of an event.
pub(super) async fn known(
    session: &mut Session,
    consumer: &str,
    event: Uuid,
) -> Result<Known, DatabaseError> {
    let produced: Option<(String, Option<i64>)> =
        sql!(session, c => sqlx::query_as(PRODUCED).bind(event).fetch_optional(c).await)?;
    let handled_at = sql!(session, c => sqlx::query_scalar(HANDLED).bind(consumer).bind(event)
        .fetch_optional(c).await)?;
    let rows: Vec<Row> = sql!(session, c => sqlx::query_as(PARKED_EVENT).bind(consumer).bind(event)
        .fetch_all(c).await)?;
    Ok(Known {
        produced: produced.map(|(subject, sequence)| Produced {
            event: without_key(&subject),
            sequence,
        }),
        handled_at,
        parked: rows.into_iter().map(|row| row.parked(consumer)).collect(),
        is_stateless: false,
    })
}

pub(super) async fn state(
    session: &mut Session,
    consumer: &str,
    place: &Place,
) -> Result<Option<State>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(FIND).bind(consumer)
        .bind(&place.stream).bind(place.incarnation).bind(place.sequence).fetch_optional(c).await)?)
}

/// Lets an event that failed be tried next, in its lane if it can be read now.
pub(super) async fn retry(
    session: &mut Session,
    consumer: &str,
    place: &Place,
    offered: &Offered,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(RETRY).bind(consumer)
        .bind(&place.stream).bind(place.incarnation).bind(place.sequence)
        .bind(offered.lane()).bind(offered.event_id()).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes an event that failed, and sees to it that it never comes again. False when there is none.
pub(super) async fn skip(
    work: &mut Work,
    consumer: &str,
    place: &Place,
) -> Result<bool, DatabaseError> {
    let deleted: Option<Option<Uuid>> = sql!(work, c => sqlx::query_scalar(DELETE).bind(consumer)
        .bind(&place.stream).bind(place.incarnation).bind(place.sequence).fetch_optional(c).await)?;
    let Some(event) = deleted else {
        return Ok(false);
    };
    if let Some(event) = event {
        let now = work.clock().micros();
        sql!(work, c => sqlx::query(NEVER_AGAIN).bind(consumer).bind(event).bind(now).execute(c).await.map(drop))?;
    }
    sql!(work, c => sqlx::query(SKIPPED).bind(consumer).bind(&place.stream).execute(c).await.map(drop))?;
    Ok(true)
}

impl Row {
    fn parked(self, consumer: &str) -> Parked {
        let event = without_key(&self.subject);
        let status = status(&self.status);
        let is_due = matches!(status, Status::Retry | Status::Error);
        Parked {
            fingerprint: fingerprint(consumer, &event, &self.reason, &self.detail),
            place: Place {
                stream: self.stream,
                incarnation: self.incarnation,
                sequence: self.sequence,
            },
            event,
            event_id: self.event_id,
            status,
            reason: self.reason,
            detail: self.detail,
            attempts: self.attempts,
            behind: self.behind,
            due_at: is_due.then_some(self.due_at),
            parked_at: self.parked_at,
        }
    }
}

/// The word that the table has for a status; what is not in the table has none.
fn word(status: Status) -> &'static str {
    match status {
        Status::Unprocessed => "waiting",
        Status::Error => "error",
        Status::Retry => "retry",
        Status::Failed => "failed",
        Status::InProgress | Status::Completed => "none",
    }
}

fn status(word: &str) -> Status {
    match word {
        "waiting" => Status::Unprocessed,
        "error" => Status::Error,
        "retry" => Status::Retry,
        _ => Status::Failed,
    }
}
