//! Erasure requests and what the services said to them.

use chassis::database::{DatabaseError, Session, Sql, json_text};
use chassis::sql;
use chrono::{DateTime, Utc};
use envelope::gdpr;
use uuid::Uuid;

use super::from_json;
use crate::progress::{Known, ServiceState, State};

const INSERT: &str =
    "INSERT INTO erasure (event_id, request_hash, user_id, state, requested_at, due_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const OPEN_OF_USER: &str = "SELECT event_id, due_at FROM erasure
    WHERE user_id = $1 AND request_hash IS NOT NULL ORDER BY requested_at, event_id LIMIT 1";
// Writing nothing takes the row's lock, so that services whose receipts arrive side by side are
// counted one after the other.
const LOCK: &str = "UPDATE erasure SET state = state WHERE event_id = $1 RETURNING state, user_id";
const FENCE: &str = "UPDATE erasure SET state = 'fenced', fenced_at = $2 WHERE event_id = $1";
const SET_STATE: &str = "UPDATE erasure SET state = $2 WHERE event_id = $1";
const EXPECT: Sql = Sql {
    sqlite: "INSERT INTO erasure_service (event_id, service, state, deleted)
             SELECT $1, value, 'waiting', 0 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO erasure_service (event_id, service, state, deleted)
               SELECT $1, value, 'waiting', 0 FROM jsonb_array_elements_text($2::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};
const RECEIPT: &str =
    "INSERT INTO erasure_service (event_id, service, state, deleted, mails_under_way)
    VALUES ($1, $2, 'done', $3, $4)
    ON CONFLICT (event_id, service) DO UPDATE SET state = 'done', deleted = excluded.deleted,
        mails_under_way = excluded.mails_under_way
    WHERE erasure_service.state <> 'done'";
const WAITING: &str =
    "SELECT COUNT(*) FROM erasure_service WHERE event_id = $1 AND state = 'waiting'";
const WAITING_SERVICES: &str = "SELECT service FROM erasure_service
    WHERE event_id = $1 AND state = 'waiting' ORDER BY service";
const READY: &str = "SELECT DISTINCT user_id FROM erasure AS ready
    WHERE state = 'erasing' AND user_id IS NOT NULL AND NOT EXISTS
    (SELECT 1 FROM erasure AS other WHERE other.user_id = ready.user_id AND other.state = 'fenced')";
const FENCED: &str =
    "SELECT DISTINCT user_id FROM erasure WHERE state = 'fenced' AND user_id IS NOT NULL";
const UNDER_WAY: &str = "SELECT DISTINCT user_id FROM erasure
    WHERE state IN ('fenced', 'erasing') AND user_id IS NOT NULL";
const COUNT_DELETED: &str =
    "UPDATE erasure SET events_deleted = events_deleted + $2 WHERE user_id = $1";
const SET_BACKUPS_END: &str = "UPDATE erasure SET backups_end_at = $2 WHERE user_id = $1";
const FORGET_PLANNED: &str = "DELETE FROM erasure WHERE event_id = $1 AND state = 'planned'";
const BY_REQUEST: &str =
    "SELECT event_id, state, requested_at, due_at, finished_at, events_deleted, control, scan, extension_reason, backups_end_at
    FROM erasure WHERE request_hash = $1";
const SERVICES: &str = "SELECT service, state, deleted, mails_under_way FROM erasure_service WHERE event_id = $1 ORDER BY service";

/// A request that is to be opened.
pub(crate) struct NewErasure {
    pub event: Uuid,
    /// None when a foreign producer asked by an event.
    pub request_hash: Option<String>,
    pub user: Uuid,
    pub state: State,
    pub requested_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
}

/// A request as its requester sees it.
#[derive(sqlx::FromRow)]
pub(crate) struct Erasure {
    pub event_id: Uuid,
    pub state: String,
    pub requested_at: i64,
    pub due_at: i64,
    pub finished_at: Option<i64>,
    pub events_deleted: i64,
    pub control: Option<String>,
    pub scan: Option<String>,
    pub extension_reason: Option<String>,
    pub backups_end_at: Option<i64>,
}

/// What a service said.
#[derive(sqlx::FromRow)]
pub(crate) struct ServiceRow {
    pub service: String,
    pub state: String,
    pub deleted: i64,
    mails_under_way: Option<String>,
}

impl ServiceRow {
    /// The Message-IDs of mails that it was handing over when it deleted.
    pub(crate) fn mails_under_way(&self) -> Result<Vec<Uuid>, DatabaseError> {
        let text = self.mails_under_way.as_deref();
        let mails = from_json(text, "erasure_service.mails_under_way")?;
        Ok(mails.unwrap_or_default())
    }
}

/// Opens a request, unless this one, or another that waits for its event, is there.
pub(crate) async fn insert(session: &mut Session, new: &NewErasure) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT)
        .bind(new.event).bind(&new.request_hash).bind(new.user).bind(new.state.as_str())
        .bind(new.requested_at.timestamp_micros()).bind(new.due_at.timestamp_micros())
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The request that a user opened and that is not done: its event's id and when it is due.
pub(crate) async fn open_of_user(
    session: &mut Session,
    user: Uuid,
) -> Result<Option<(Uuid, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(OPEN_OF_USER).bind(user).fetch_optional(c).await)?)
}

/// What is known of a request; nobody else changes it until the transaction ends.
pub(crate) async fn lock(
    session: &mut Session,
    event: Uuid,
) -> Result<Option<Known>, DatabaseError> {
    let row: Option<(String, Option<Uuid>)> =
        sql!(session, c => sqlx::query_as(LOCK).bind(event).fetch_optional(c).await)?;
    row.map(|(state, user)| {
        let state = parse_state(&state)?;
        Ok(Known { state, user })
    })
    .transpose()
}

/// Notes that the person is fenced off, and who has to answer now.
pub(crate) async fn fence(
    session: &mut Session,
    event: Uuid,
    now: i64,
    participants: &[&str],
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FENCE).bind(event).bind(now).execute(c).await.map(drop))?;
    let participants = serde_json::Value::from(participants.to_vec()).to_string();
    let text = EXPECT.text(session.dialect());
    sql!(session, c => sqlx::query(text).bind(event).bind(&participants).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes that a service is done. Its first receipt counts.
pub(crate) async fn receipt(
    session: &mut Session,
    event: Uuid,
    receipt: &gdpr::Purged,
) -> Result<(), DatabaseError> {
    let deleted = i64::try_from(receipt.rows).unwrap_or(i64::MAX);
    let mails = json_text(&receipt.mails_under_way)?;
    sql!(session, c => sqlx::query(RECEIPT)
        .bind(event).bind(&receipt.service).bind(deleted).bind(&mails)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// How many services have still to answer.
pub(crate) async fn waiting(session: &mut Session, event: Uuid) -> Result<i64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(WAITING).bind(event).fetch_one(c).await)?)
}

/// Which services have still to answer.
pub(crate) async fn waiting_services(
    session: &mut Session,
    event: Uuid,
) -> Result<Vec<String>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(WAITING_SERVICES).bind(event).fetch_all(c).await)?)
}

/// Sets how far a request has come.
pub(crate) async fn set_state(
    session: &mut Session,
    event: Uuid,
    state: State,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_STATE)
        .bind(event).bind(state.as_str())
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The users whose events can be deleted now: all services are done with all their requests.
pub(crate) async fn ready(session: &mut Session) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(READY).fetch_all(c).await)?)
}

/// The users whose services are not all done.
pub(crate) async fn fenced(session: &mut Session) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(FENCED).fetch_all(c).await)?)
}

/// The users who are being erased.
pub(crate) async fn under_way(session: &mut Session) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(UNDER_WAY).fetch_all(c).await)?)
}

/// Adds to the number of deleted events.
pub(crate) async fn count_deleted(
    session: &mut Session,
    user: Uuid,
    events: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(COUNT_DELETED).bind(user).bind(events).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes when no backup is left that may hold a user.
pub(crate) async fn set_backups_end(
    session: &mut Session,
    user: Uuid,
    at: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_BACKUPS_END).bind(user).bind(at).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets a request whose requester was never told that it is accepted.
pub(crate) async fn forget_planned(
    session: &mut Session,
    event: Uuid,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_PLANNED).bind(event).execute(c).await.map(drop))?;
    Ok(())
}

/// The request with this hash of its secret id.
pub(crate) async fn by_request(
    session: &mut Session,
    request_hash: &str,
) -> Result<Option<Erasure>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(BY_REQUEST).bind(request_hash).fetch_optional(c).await)?)
}

/// What the services said to a request.
pub(crate) async fn services(
    session: &mut Session,
    event: Uuid,
) -> Result<Vec<ServiceRow>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(SERVICES).bind(event).fetch_all(c).await)?)
}

/// Reads a stored state.
pub(crate) fn parse_state(text: &str) -> Result<State, DatabaseError> {
    text.parse()
        .map_err(|()| DatabaseError::Damaged("erasure.state"))
}

/// Reads a service's stored state.
pub(crate) fn parse_service_state(text: &str) -> Result<ServiceState, DatabaseError> {
    text.parse()
        .map_err(|()| DatabaseError::Damaged("erasure_service.state"))
}
