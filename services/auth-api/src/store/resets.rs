//! Links by which a new password is chosen: what is kept of them.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

// A registration that waits is confirmed by its own link only.
const ADD: &str = "INSERT INTO password_reset (token_hash, user_id, expires_at)
    SELECT $2, user_id, $3 FROM credential
    WHERE user_id = $1 AND confirmed_at IS NOT NULL";
const TAKE: &str = "DELETE FROM password_reset
    WHERE token_hash = $1 AND expires_at > $2 RETURNING user_id";
const DELETE_ALL: &str = "DELETE FROM password_reset WHERE user_id = $1";

/// Keeps a link for an account that is confirmed. Says whether there is one.
pub(crate) async fn add(
    session: &mut Session,
    user: UserId,
    token_hash: &str,
    expires_at: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(ADD)
        .bind(user.0).bind(token_hash).bind(expires_at).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Takes a link that is still good: it works once. Says whose it was.
pub(crate) async fn take(
    session: &mut Session,
    token_hash: &str,
    now: i64,
) -> Result<Option<UserId>, DatabaseError> {
    let user: Option<Uuid> = sql!(session, c => sqlx::query_scalar(TAKE)
        .bind(token_hash).bind(now).fetch_optional(c).await)?;
    Ok(user.map(UserId))
}

/// Deletes all links of a user.
pub(crate) async fn delete_all(session: &mut Session, user: UserId) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_ALL).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}
