//! Confirmation links and mailed codes: what is kept of them.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

/// After so many tries a code is worth nothing, right or wrong.
pub(crate) const MOST_TRIES: i64 = 5;

// Only a registration that waits gets a link; the link holds the password it waits with.
const ADD_CONFIRMATION: &str =
    "INSERT INTO confirmation (token_hash, user_id, password, expires_at)
    SELECT $2, user_id, password, $3 FROM credential
    WHERE user_id = $1 AND confirmed_at IS NULL";
const TAKE_CONFIRMATION: &str = "DELETE FROM confirmation
    WHERE token_hash = $1 AND expires_at > $2 RETURNING user_id, password";
const DELETE_CONFIRMATIONS: &str = "DELETE FROM confirmation WHERE user_id = $1";
const SET_CODE: &str = "INSERT INTO mailed_code (user_id, code_hash, expires_at, tries)
    VALUES ($1, $2, $3, 0)
    ON CONFLICT (user_id) DO UPDATE
        SET code_hash = excluded.code_hash, expires_at = excluded.expires_at, tries = 0";
const TRY_CODE: &str = "UPDATE mailed_code SET tries = tries + 1
    WHERE user_id = $1 AND expires_at > $2 AND tries < $3 RETURNING code_hash";
const DELETE_CODE: &str = "DELETE FROM mailed_code WHERE user_id = $1";

/// A registration that is about to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// Whose.
    pub(crate) user: UserId,
    /// The hash of the password that was chosen.
    pub(crate) password: String,
}

/// Keeps a link for a registration that waits. Says whether there is one.
pub(crate) async fn add_confirmation(
    session: &mut Session,
    user: UserId,
    token_hash: &str,
    expires_at: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(ADD_CONFIRMATION)
        .bind(user.0).bind(token_hash).bind(expires_at).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Takes a link that is still good: it works once.
pub(crate) async fn take_confirmation(
    session: &mut Session,
    token_hash: &str,
    now: i64,
) -> Result<Option<Confirmation>, DatabaseError> {
    let row: Option<(Uuid, String)> = sql!(session, c => sqlx::query_as(TAKE_CONFIRMATION)
        .bind(token_hash).bind(now).fetch_optional(c).await)?;
    Ok(row.map(|(user, password)| Confirmation {
        user: UserId(user),
        password,
    }))
}

/// Deletes all links of a user.
pub(crate) async fn delete_confirmations(
    session: &mut Session,
    user: UserId,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_CONFIRMATIONS).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps a new code, in place of an older one.
pub(crate) async fn set_code(
    session: &mut Session,
    user: UserId,
    code_hash: &str,
    expires_at: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_CODE)
        .bind(user.0).bind(code_hash).bind(expires_at).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether this is the user's code: right ones are used up, wrong ones counted.
pub(crate) async fn take_code(
    session: &mut Session,
    user: UserId,
    code_hash: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    let expected: Option<String> = sql!(session, c => sqlx::query_scalar(TRY_CODE)
        .bind(user.0).bind(now).bind(MOST_TRIES).fetch_optional(c).await)?;
    let right = expected.is_some_and(|expected| expected == code_hash);
    if right {
        sql!(session, c => sqlx::query(DELETE_CODE).bind(user.0).execute(c).await.map(drop))?;
    }
    Ok(right)
}
