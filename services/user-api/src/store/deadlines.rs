//! Requests that are not done, and until when they must be.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use uuid::Uuid;

use crate::scan::stores::Sight;

const OPEN: &str = "SELECT event_id, state, requested_at, due_at, extension_reason, alarmed, scan
    FROM erasure WHERE state <> 'erased' ORDER BY due_at, event_id LIMIT $1";
const SET_ALARMED: &str = "UPDATE erasure SET alarmed = $2 WHERE event_id = $1";
// Alarms that were given count for the old deadline only.
const EXTEND: &str = "UPDATE erasure SET due_at = due_at + $2, extension_reason = $3, alarmed = 0
    WHERE event_id = $1 AND state <> 'erased' AND extension_reason IS NULL";
const LOOK_NOW: &str =
    "UPDATE erasure SET look_at = CASE WHEN look_at IS NULL THEN NULL ELSE $2 END
    WHERE event_id = $1 AND state <> 'erased'";

/// A request that is not done.
#[derive(Debug, Default, sqlx::FromRow)]
pub(crate) struct Open {
    pub event_id: Uuid,
    pub state: String,
    pub requested_at: i64,
    pub due_at: i64,
    pub extension_reason: Option<String>,
    /// How much of the time was used at the last alarm, in percent.
    pub alarmed: i64,
    pub scan: Option<String>,
}

impl Open {
    /// The stores in which the person was still found.
    pub(crate) fn found_in(&self) -> Result<Vec<String>, DatabaseError> {
        Ok(Sight::read(self.scan.as_deref())?.map_or_else(Vec::new, Sight::into_stores))
    }
}

/// All that are not done, the most urgent first.
pub(crate) async fn open(session: &mut Session, limit: i64) -> Result<Vec<Open>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(OPEN).bind(limit).fetch_all(c).await)?)
}

/// Notes an alarm.
pub(crate) async fn set_alarmed(
    session: &mut Session,
    event: Uuid,
    percent: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_ALARMED).bind(event).bind(percent).execute(c).await.map(drop))?;
    Ok(())
}

/// Moves a deadline, once. Says whether there is such a request.
pub(crate) async fn extend(
    session: &mut Session,
    event: Uuid,
    by: i64,
    reason: &str,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(EXTEND).bind(event).bind(by).bind(reason)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Has the scan take a request up now, if it waits for that. Says whether there is such a request.
pub(crate) async fn look_now(
    session: &mut Session,
    event: Uuid,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(LOOK_NOW).bind(event).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
