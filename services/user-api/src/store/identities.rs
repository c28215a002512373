//! The identity vault.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use clients::user::Notifications;
use envelope::UserId;
use uuid::Uuid;

use crate::account::Locale;
use crate::store::address_changes::AddressChange;
use crate::vault::SealedIdentity;

const INSERT: &str = "INSERT INTO identity
    (account_id, user_id, email_hash, key_sealed, email_sealed, name_sealed, notifications, locale, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
const FIND: &str =
    "SELECT account_id, user_id, key_sealed, email_sealed, name_sealed, notifications, locale, created_at
    FROM identity WHERE user_id = $1";
// Who asked to be erased is nobody any more.
const BY_EMAIL: &str = "SELECT user_id FROM identity WHERE email_hash = $1
    AND NOT EXISTS (SELECT 1 FROM erasure WHERE erasure.user_id = identity.user_id)";
const RELEASE_ADDRESS: &str = "UPDATE identity SET email_hash = NULL WHERE email_hash = $1
    AND EXISTS (SELECT 1 FROM erasure WHERE erasure.user_id = identity.user_id)";
const UPDATE: &str =
    "UPDATE identity SET name_sealed = $2, notifications = $3, locale = $4 WHERE user_id = $1";
const SET_NOTIFICATIONS: &str = "UPDATE identity SET notifications = $2 WHERE user_id = $1";
const SET_ADDRESS: &str =
    "UPDATE identity SET email_sealed = $2, email_hash = $3 WHERE user_id = $1";
const DELETE: &str = "DELETE FROM identity WHERE user_id = $1";

/// A row of the vault.
#[derive(sqlx::FromRow)]
pub(crate) struct Identity {
    pub account_id: Uuid,
    pub user_id: Uuid,
    pub key_sealed: Vec<u8>,
    pub email_sealed: Option<Vec<u8>>,
    pub name_sealed: Vec<u8>,
    pub notifications: String,
    pub locale: String,
    pub created_at: i64,
}

/// Somebody who has no identity yet.
pub(crate) struct NewIdentity {
    /// Exists in this table only.
    pub account: Uuid,
    pub user: UserId,
    pub email_hash: Option<String>,
    pub sealed: SealedIdentity,
    pub created_at: i64,
}

/// What a person prefers.
#[derive(Default)]
pub(crate) struct Choices {
    pub notifications: Notifications,
    pub locale: Locale,
}

/// What a person may change about themselves.
pub(crate) struct Changed<'a> {
    pub name_sealed: &'a [u8],
    pub notifications: Notifications,
    pub locale: &'a Locale,
}

/// Makes an identity, unless the address or the user has one.
pub(crate) async fn insert(
    session: &mut Session,
    new: &NewIdentity,
    choices: &Choices,
) -> Result<(), DatabaseError> {
    let (notifications, locale) = (choices.notifications, &choices.locale);
    sql!(session, c => sqlx::query(INSERT)
        .bind(new.account).bind(new.user.0).bind(&new.email_hash)
        .bind(&new.sealed.key).bind(&new.sealed.email).bind(&new.sealed.name)
        .bind(notifications.as_str()).bind(locale.as_str()).bind(new.created_at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// A user's identity.
pub(crate) async fn find(
    session: &mut Session,
    user: UserId,
) -> Result<Option<Identity>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(FIND).bind(user.0).fetch_optional(c).await)?)
}

/// Who has the address with this hash.
pub(crate) async fn by_email(
    session: &mut Session,
    email_hash: &str,
) -> Result<Option<UserId>, DatabaseError> {
    let user: Option<Uuid> =
        sql!(session, c => sqlx::query_scalar(BY_EMAIL).bind(email_hash).fetch_optional(c).await)?;
    Ok(user.map(UserId))
}

/// Lets an address go that belongs to somebody who asked to be erased, for whoever registers with it.
pub(crate) async fn release_address(
    session: &mut Session,
    email_hash: &str,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(RELEASE_ADDRESS).bind(email_hash).execute(c).await.map(drop))?;
    Ok(())
}

/// Changes what a person may change.
pub(crate) async fn update(
    session: &mut Session,
    user: UserId,
    changed: &Changed<'_>,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(UPDATE)
        .bind(user.0).bind(changed.name_sealed)
        .bind(changed.notifications.as_str()).bind(changed.locale.as_str())
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Gives a user the address that was confirmed.
pub(crate) async fn set_address(
    session: &mut Session,
    confirmed: &AddressChange,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET_ADDRESS)
        .bind(confirmed.user_id).bind(&confirmed.email_sealed).bind(&confirmed.email_hash)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Says whether there is such a user.
pub(crate) async fn set_notifications(
    session: &mut Session,
    user: UserId,
    notifications: Notifications,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(SET_NOTIFICATIONS)
        .bind(user.0).bind(notifications.as_str())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Destroys an identity: its key, addresses and name, what the person limited and consented to, and an
/// import that was to make one.
pub(crate) async fn destroy(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    super::imports::delete(session, user).await?;
    super::address_changes::delete(session, user).await?;
    super::limits::delete(session, user).await?;
    super::consents::delete(session, user).await?;
    sql!(session, c => sqlx::query(DELETE).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
