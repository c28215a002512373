//! Requests for an export, and who is writing which archive.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use uuid::Uuid;

use crate::export::State;

const INSERT: &str = "INSERT INTO export
    (id, request_hash, user_id, state, requested_at, expires_at, claimed_until)
    VALUES ($1, $2, $3, 'planned', $4, $5, 0) ON CONFLICT DO NOTHING";
const OPEN_OF_USER: &str =
    "SELECT id FROM export WHERE user_id = $1 AND state IN ('planned', 'exporting')";
const BY_REQUEST: &str = "SELECT id, state, requested_at, expires_at, attempt, key_sealed, bytes
    FROM export WHERE request_hash = $1";
const NEWEST: &str = "SELECT id, state, requested_at, expires_at, attempt, key_sealed, bytes
    FROM export ORDER BY requested_at DESC, id LIMIT $1";
const DUE: &str = "SELECT COUNT(*) FROM export
    WHERE state <> 'expired' AND expires_at <= $1
    OR state IN ('planned', 'exporting') AND claimed_until < $1";
// The second condition is asked again when another process was faster.
const CLAIM: &str = "UPDATE export SET state = 'exporting', attempt = $1, claimed_until = $2
    WHERE claimed_until < $3 AND id =
    (SELECT id FROM export WHERE state IN ('planned', 'exporting') AND claimed_until < $3
     ORDER BY requested_at, id LIMIT 1)
    RETURNING id, user_id";
const HOLD: &str =
    "UPDATE export SET claimed_until = $2 WHERE attempt = $1 AND state = 'exporting'";
const READY: &str =
    "UPDATE export SET state = 'ready', key_sealed = $2, bytes = $3, expires_at = $4
    WHERE attempt = $1 AND state = 'exporting' RETURNING user_id";
const END_OLDER: &str =
    "UPDATE export SET state = 'expired', user_id = NULL, attempt = NULL, key_sealed = NULL
    WHERE user_id = $1 AND state = 'ready' AND attempt <> $2";
const END_OLD: &str =
    "UPDATE export SET state = 'expired', user_id = NULL, attempt = NULL, key_sealed = NULL
    WHERE expires_at <= $1 AND state <> 'expired'";
const END_OF_USER: &str =
    "UPDATE export SET state = 'expired', user_id = NULL, attempt = NULL, key_sealed = NULL
    WHERE user_id = $1";
const END_READY: &str =
    "UPDATE export SET state = 'expired', user_id = NULL, attempt = NULL, key_sealed = NULL
    WHERE state = 'ready'";
const ATTEMPTS: &str = "SELECT attempt FROM export WHERE attempt IS NOT NULL";

/// A request that is to be opened.
pub(crate) struct NewExport {
    pub id: Uuid,
    pub request_hash: String,
    pub user: Uuid,
    pub requested_at: i64,
    pub expires_at: i64,
}

/// A request as its requester sees it.
#[derive(sqlx::FromRow)]
pub(crate) struct Export {
    pub id: Uuid,
    state: String,
    pub requested_at: i64,
    pub expires_at: i64,
    pub attempt: Option<Uuid>,
    pub key_sealed: Option<Vec<u8>>,
    pub bytes: Option<i64>,
}

impl Export {
    /// How far it has come, at a moment: what is too old is so before anybody wrote it down.
    pub(crate) fn state(&self, now: i64) -> Result<State, DatabaseError> {
        if self.expires_at <= now {
            return Ok(State::Expired);
        }
        self.state
            .parse()
            .map_err(|()| DatabaseError::Damaged("export.state"))
    }
}

/// An archive that this process is to write.
#[derive(sqlx::FromRow)]
pub(crate) struct Claimed {
    pub id: Uuid,
    pub user_id: Uuid,
}

/// A written archive.
pub(crate) struct Written {
    pub attempt: Uuid,
    pub key_sealed: Vec<u8>,
    pub bytes: i64,
    pub expires_at: i64,
}

/// Opens a request, unless the user has one open.
pub(crate) async fn insert(session: &mut Session, new: &NewExport) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT)
        .bind(new.id).bind(&new.request_hash).bind(new.user)
        .bind(new.requested_at).bind(new.expires_at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The request of a user that is not ready.
pub(crate) async fn open_of_user(
    session: &mut Session,
    user: Uuid,
) -> Result<Option<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(OPEN_OF_USER).bind(user).fetch_optional(c).await)?)
}

/// The request with this hash of its secret id.
pub(crate) async fn by_request(
    session: &mut Session,
    request_hash: &str,
) -> Result<Option<Export>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(BY_REQUEST).bind(request_hash).fetch_optional(c).await)?)
}

/// All requests that are still known, the newest first.
pub(crate) async fn newest(
    session: &mut Session,
    limit: i64,
) -> Result<Vec<Export>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(NEWEST).bind(limit).fetch_all(c).await)?)
}

/// Whether there is anything to export or to end.
pub(crate) async fn is_any_due(session: &mut Session, now: i64) -> Result<bool, DatabaseError> {
    let due: i64 = sql!(session, c => sqlx::query_scalar(DUE).bind(now).fetch_one(c).await)?;
    Ok(due > 0)
}

/// Takes the oldest request that nobody works at, for an attempt at it.
pub(crate) async fn claim(
    session: &mut Session,
    attempt: Uuid,
    until: i64,
    now: i64,
) -> Result<Option<Claimed>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(CLAIM)
        .bind(attempt).bind(until).bind(now)
        .fetch_optional(c).await)?)
}

/// Holds a claim for longer. Says whether it still is one.
pub(crate) async fn hold(
    session: &mut Session,
    attempt: Uuid,
    until: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(HOLD)
        .bind(attempt).bind(until)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Notes that an archive is written; the ones before of the same user end. Says whether it was
/// still wanted.
pub(crate) async fn ready(session: &mut Session, written: &Written) -> Result<bool, DatabaseError> {
    let user: Option<Uuid> = sql!(session, c => sqlx::query_scalar(READY)
        .bind(written.attempt).bind(&written.key_sealed).bind(written.bytes).bind(written.expires_at)
        .fetch_optional(c).await)?;
    let Some(user) = user else {
        return Ok(false);
    };
    sql!(session, c => sqlx::query(END_OLDER)
        .bind(user).bind(written.attempt)
        .execute(c).await.map(drop))?;
    Ok(true)
}

/// Ends what is too old; says how many.
pub(crate) async fn end_old(session: &mut Session, now: i64) -> Result<u64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query(END_OLD).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Ends all of a user's: who is erased has no archives.
pub(crate) async fn end_of_user(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(END_OF_USER).bind(user).execute(c).await.map(drop))?;
    Ok(())
}

/// The attempts whose files are wanted.
pub(crate) async fn attempts(session: &mut Session) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(ATTEMPTS).fetch_all(c).await)?)
}

#[cfg(test)]
mod tests;

/// Ends all exports that are ready: a backup holds no archives.
pub(crate) async fn end_ready(session: &mut Session) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(END_READY).execute(c).await.map(drop))?;
    Ok(())
}
