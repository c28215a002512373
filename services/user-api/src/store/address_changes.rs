//! Changes of an address that wait to be confirmed.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const PUT: &str = "INSERT INTO address_change
    (user_id, key_sealed, email_sealed, email_hash, token_hash, expires_at)
    VALUES ($1, $2, $3, $4, NULL, $5)
    ON CONFLICT (user_id) DO UPDATE SET email_sealed = excluded.email_sealed,
        email_hash = excluded.email_hash, token_hash = NULL, expires_at = excluded.expires_at";
const FIND: &str = "SELECT user_id, key_sealed, email_sealed, email_hash, expires_at
    FROM address_change WHERE user_id = $1 AND expires_at > $2";
const SET_TOKEN: &str = "UPDATE address_change SET token_hash = $2 WHERE user_id = $1";
const TAKE: &str = "DELETE FROM address_change WHERE token_hash = $1 AND expires_at > $2
    RETURNING user_id, key_sealed, email_sealed, email_hash, expires_at";
const DELETE: &str = "DELETE FROM address_change WHERE user_id = $1";

/// A new address, sealed with its owner's own key.
#[derive(sqlx::FromRow)]
pub(crate) struct AddressChange {
    pub user_id: Uuid,
    pub key_sealed: Vec<u8>,
    pub email_sealed: Vec<u8>,
    pub email_hash: String,
    pub expires_at: i64,
}

/// Notes a new address, in place of one that waits; a link that was mailed before ends.
pub(crate) async fn put(session: &mut Session, new: &AddressChange) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(PUT)
        .bind(new.user_id).bind(&new.key_sealed).bind(&new.email_sealed)
        .bind(&new.email_hash).bind(new.expires_at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The address that waits for a user.
pub(crate) async fn find(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<Option<AddressChange>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(FIND).bind(user.0).bind(now).fetch_optional(c).await)?)
}

/// Keeps the hash of a link, in place of an older one.
pub(crate) async fn set_token(
    session: &mut Session,
    user: UserId,
    token_hash: &str,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_TOKEN).bind(user.0).bind(token_hash).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes the address whose link is still good: it works once.
pub(crate) async fn take(
    session: &mut Session,
    token_hash: &str,
    now: i64,
) -> Result<Option<AddressChange>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(TAKE).bind(token_hash).bind(now).fetch_optional(c).await)?)
}

/// No address waits any more.
pub(crate) async fn delete(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
