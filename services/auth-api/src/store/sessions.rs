//! Who is logged in.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use chrono::DateTime;
use clients::auth;
use envelope::UserId;
use uuid::Uuid;

const INSERT: &str =
    "INSERT INTO session (id, token_hash, user_id, created_at, expires_at, proved_at)
    VALUES ($1, $2, $3, $4, $5, $4)";
const PROVE: &str = "UPDATE session SET proved_at = $3 WHERE id = $1 AND user_id = $2";
const FIND: &str = "SELECT session.id, session.user_id, credential.role, session.proved_at
    FROM session JOIN credential ON credential.user_id = session.user_id
    WHERE session.token_hash = $1 AND session.expires_at > $2
        AND NOT EXISTS (SELECT 1 FROM suspension
                        WHERE suspension.user_id = session.user_id AND suspension.suspended_until > $2)";
const LIST: &str = "SELECT id, created_at, expires_at FROM session
    WHERE user_id = $1 AND expires_at > $2 AND (created_at, id) < ($3, $4)
    ORDER BY created_at DESC, id DESC LIMIT $5";
const SHOW: &str = "SELECT id, created_at, expires_at FROM session
    WHERE user_id = $1 AND id = $2 AND expires_at > $3";
const COUNT: &str = "SELECT COUNT(*) FROM session WHERE user_id = $1 AND expires_at > $2";
const DELETE_ALL: &str = "DELETE FROM session WHERE user_id = $1";
const DELETE_OTHERS: &str = "DELETE FROM session WHERE user_id = $1 AND id <> $2";
const DELETE: &str = "DELETE FROM session WHERE id = $1 AND user_id = $2";

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its id.
    pub(crate) id: Uuid,
    /// When it began.
    pub(crate) created_at: i64,
    /// When it ends.
    pub(crate) expires_at: i64,
}

impl From<(Uuid, i64, i64)> for Row {
    fn from((id, created_at, expires_at): (Uuid, i64, i64)) -> Self {
        Self {
            id,
            created_at,
            expires_at,
        }
    }
}

/// Keeps a new session.
pub(crate) async fn insert(
    session: &mut Session,
    user: UserId,
    token_hash: &str,
    row: &Row,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT)
        .bind(row.id).bind(token_hash).bind(user.0).bind(row.created_at).bind(row.expires_at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Whose token this is, if it is good, and its user is not shut out.
pub(crate) async fn find(
    session: &mut Session,
    token_hash: &str,
    now: i64,
) -> Result<Option<auth::Session>, DatabaseError> {
    let row: Option<(Uuid, Uuid, String, i64)> = sql!(session, c => sqlx::query_as(FIND)
        .bind(token_hash).bind(now).fetch_optional(c).await)?;
    row.map(|(id, user, role, proved_at)| {
        Ok(auth::Session {
            session: id,
            user: UserId(user),
            role: role
                .parse()
                .map_err(|_| DatabaseError::Damaged("credential.role"))?,
            proved_at: DateTime::from_timestamp_micros(proved_at)
                .ok_or(DatabaseError::Damaged("session.proved_at"))?,
        })
    })
    .transpose()
}

/// A user's sessions that have not ended, the newest first, from those before a place on.
pub(crate) async fn list(
    session: &mut Session,
    user: UserId,
    now: i64,
    before: (i64, Uuid),
    limit: i64,
) -> Result<Vec<Row>, DatabaseError> {
    let rows: Vec<(Uuid, i64, i64)> = sql!(session, c => sqlx::query_as(LIST)
        .bind(user.0).bind(now).bind(before.0).bind(before.1).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Row::from).collect())
}

/// How many of a user's sessions have not ended.
pub(crate) async fn count(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<i64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(COUNT).bind(user.0).bind(now).fetch_one(c).await)?)
}

/// A session of this user that has not ended.
pub(crate) async fn show(
    session: &mut Session,
    user: UserId,
    id: Uuid,
    now: i64,
) -> Result<Option<Row>, DatabaseError> {
    let row: Option<(Uuid, i64, i64)> = sql!(session, c => sqlx::query_as(SHOW)
        .bind(user.0).bind(id).bind(now).fetch_optional(c).await)?;
    Ok(row.map(Row::from))
}

/// Notes that the user of a session has proved again who they are.
pub(crate) async fn prove(
    session: &mut Session,
    user: UserId,
    id: Uuid,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(PROVE).bind(id).bind(user.0).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends all sessions of this user.
pub(crate) async fn delete_all(session: &mut Session, user: UserId) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_ALL).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends all sessions of this user but one.
pub(crate) async fn delete_others(
    session: &mut Session,
    user: UserId,
    kept: Uuid,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_OTHERS).bind(user.0).bind(kept).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends a session of this user. Says whether there was one.
pub(crate) async fn delete(
    session: &mut Session,
    user: UserId,
    id: Uuid,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(DELETE)
        .bind(id).bind(user.0).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
