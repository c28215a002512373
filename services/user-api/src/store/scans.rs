//! What the scan of an erasure has to look for, and what it saw.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use uuid::Uuid;

use super::erasures::parse_state;
use crate::progress::State;

const PLANNED: &str =
    "SELECT event_id, user_id, requested_at, looks, control IS NOT NULL AS has_control
    FROM erasure WHERE state = 'planned' AND user_id IS NOT NULL AND begun_at IS NULL
    ORDER BY requested_at LIMIT $1";
const LOOKED: &str = "UPDATE erasure SET looks = looks + 1 WHERE event_id = $1";
const SET_CONTROL: &str = "UPDATE erasure SET control = $2, looks = 0 WHERE event_id = $1";
const BEGUN: &str = "UPDATE erasure SET begun_at = $2 WHERE event_id = $1";
const SET_NEEDLES: &str = "UPDATE erasure SET needles_sealed = $2 WHERE event_id = $1";
const NEEDLES: &str = "SELECT event_id, needles_sealed FROM erasure WHERE user_id = $1";
const BEGIN: &str = "UPDATE erasure SET state = 'scanning', user_id = NULL, look_at = $2
    WHERE event_id = $1";
const DUE: &str = "SELECT event_id, state, needles_sealed, looks FROM erasure
    WHERE look_at <= $1 AND needles_sealed IS NOT NULL ORDER BY look_at LIMIT $2";
const SCANNED: &str = "SELECT COUNT(*) FROM erasure WHERE state = 'scanning'";
// Without a next look there is nothing to look for any more.
const NOTE: &str = "UPDATE erasure SET scan = $2, scanned_at = $3, look_at = $4, looks = looks + 1,
    needles_sealed = CASE WHEN CAST($4 AS BIGINT) IS NULL THEN NULL ELSE needles_sealed END
    WHERE event_id = $1";
const FINISH: &str = "UPDATE erasure SET state = 'erased', finished_at = scanned_at, looks = 0
    WHERE event_id = $1 AND state = 'scanning'";

/// A request whose erasure has not begun.
#[derive(sqlx::FromRow)]
pub(crate) struct Planned {
    pub event_id: Uuid,
    pub user_id: Uuid,
    pub requested_at: i64,
    /// How often the person was looked for.
    pub looks: i64,
    pub has_control: bool,
}

/// A request whose person has to be looked for.
#[derive(sqlx::FromRow)]
pub(crate) struct Due {
    pub event_id: Uuid,
    pub state: String,
    pub needles_sealed: Vec<u8>,
    /// How often they were.
    pub looks: i64,
}

/// What was seen of a request's person.
pub(crate) struct Seen {
    pub event: Uuid,
    pub scan: String,
    pub now: i64,
    /// None when nothing is to be looked for any more.
    pub look_at: Option<i64>,
}

impl Due {
    /// How far the request has come.
    pub(crate) fn state(&self) -> Result<State, DatabaseError> {
        parse_state(&self.state)
    }
}

/// Requests whose erasure has not begun, the oldest first.
pub(crate) async fn planned(
    session: &mut Session,
    limit: i64,
) -> Result<Vec<Planned>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(PLANNED).bind(limit).fetch_all(c).await)?)
}

/// Notes a look that did not see what it must.
pub(crate) async fn looked(session: &mut Session, event: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(LOOKED).bind(event).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes where the person was found.
pub(crate) async fn set_control(
    session: &mut Session,
    event: Uuid,
    control: &str,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_CONTROL).bind(event).bind(control).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes that the request's event is on its way.
pub(crate) async fn begun(
    session: &mut Session,
    event: Uuid,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(BEGUN).bind(event).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps what the person is looked for by.
pub(crate) async fn set_needles(
    session: &mut Session,
    event: Uuid,
    sealed: &[u8],
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_NEEDLES).bind(event).bind(sealed).execute(c).await.map(drop))?;
    Ok(())
}

/// A user's requests, and what the user is looked for by.
pub(crate) async fn needles(
    session: &mut Session,
    user: Uuid,
) -> Result<Vec<(Uuid, Option<Vec<u8>>)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(NEEDLES).bind(user).fetch_all(c).await)?)
}

/// Forgets whose request it is, and has the person looked for from now on.
pub(crate) async fn begin(
    session: &mut Session,
    event: Uuid,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(BEGIN).bind(event).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Requests whose person has to be looked for now.
pub(crate) async fn due(
    session: &mut Session,
    now: i64,
    limit: i64,
) -> Result<Vec<Due>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(DUE).bind(now).bind(limit).fetch_all(c).await)?)
}

/// Whether anybody is looked for whose erasure is not over.
pub(crate) async fn is_any(session: &mut Session) -> Result<bool, DatabaseError> {
    let scanned: i64 = sql!(session, c => sqlx::query_scalar(SCANNED).fetch_one(c).await)?;
    Ok(scanned > 0)
}

/// Keeps what was seen, and for how long to go on.
pub(crate) async fn note(session: &mut Session, seen: &Seen) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(NOTE)
        .bind(seen.event).bind(&seen.scan).bind(seen.now).bind(seen.look_at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Ends a request. Says whether it was not over already.
pub(crate) async fn finish(session: &mut Session, event: Uuid) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(FINISH).bind(event)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
