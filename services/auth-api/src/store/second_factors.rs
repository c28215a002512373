//! Second factors, and the codes for whoever has lost theirs.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

const BEGIN: &str =
    "INSERT INTO second_factor (user_id, secret_sealed, last_step) VALUES ($1, $2, 0)
    ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = 0
        WHERE second_factor.confirmed_at IS NULL";
const FIND: &str = "SELECT secret_sealed, confirmed_at FROM second_factor WHERE user_id = $1";
const CONFIRM: &str = "UPDATE second_factor SET confirmed_at = $2
    WHERE user_id = $1 AND confirmed_at IS NULL";
const SPEND: &str = "UPDATE second_factor SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
const DELETE: [&str; 2] = [
    "DELETE FROM recovery_code WHERE user_id = $1",
    "DELETE FROM second_factor WHERE user_id = $1",
];
const ADD_RECOVERY: &str = "INSERT INTO recovery_code (code_hash, user_id) VALUES ($1, $2)";
const TAKE_RECOVERY: &str = "DELETE FROM recovery_code WHERE code_hash = $1 AND user_id = $2";
const COUNT_RECOVERY: &str = "SELECT COUNT(*) FROM recovery_code WHERE user_id = $1";

/// A second factor as it is kept.
pub(crate) struct SecondFactor {
    /// The secret, sealed.
    pub(crate) secret: Vec<u8>,
    /// Whether its user has shown that their app has it.
    pub(crate) is_confirmed: bool,
}

/// Keeps a secret until a code confirms it, in place of one that waits. Says whether there was none that is confirmed.
pub(crate) async fn begin(
    session: &mut Session,
    user: UserId,
    secret: &[u8],
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(BEGIN)
        .bind(user.0).bind(secret).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// The second factor of a user.
pub(crate) async fn find(
    session: &mut Session,
    user: UserId,
) -> Result<Option<SecondFactor>, DatabaseError> {
    let row: Option<(Vec<u8>, Option<i64>)> =
        sql!(session, c => sqlx::query_as(FIND).bind(user.0).fetch_optional(c).await)?;
    Ok(row.map(|(secret, confirmed_at)| SecondFactor {
        secret,
        is_confirmed: confirmed_at.is_some(),
    }))
}

/// From now on codes are asked for.
pub(crate) async fn confirm(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(CONFIRM).bind(user.0).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes the code of a step of time, unless one of it or of a later step was taken. Says whether it was.
pub(crate) async fn spend(
    session: &mut Session,
    user: UserId,
    step: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(SPEND)
        .bind(user.0).bind(step).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Deletes the second factor of a user with all codes for recovery.
pub(crate) async fn delete(session: &mut Session, user: UserId) -> Result<(), DatabaseError> {
    for text in DELETE {
        sql!(session, c => sqlx::query(text).bind(user.0).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Keeps a code for recovery.
pub(crate) async fn add_recovery(
    session: &mut Session,
    user: UserId,
    code_hash: &str,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(ADD_RECOVERY)
        .bind(code_hash).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes a code for recovery: it works once. Says whether it was one.
pub(crate) async fn take_recovery(
    session: &mut Session,
    user: UserId,
    code_hash: &str,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(TAKE_RECOVERY)
        .bind(code_hash).bind(user.0).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// How many codes for recovery are left.
pub(crate) async fn count_recovery(
    session: &mut Session,
    user: UserId,
) -> Result<i64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(COUNT_RECOVERY).bind(user.0).fetch_one(c).await)?)
}
