//! Who logs in with the provider, and the steps of log-ins with it that have not been taken.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const ADD_STEP: &str = "INSERT INTO oidc_step (id, expires_at) VALUES ($1, $2)";
const HAS_STEP: &str = "SELECT EXISTS (SELECT 1 FROM oidc_step WHERE id = $1 AND expires_at > $2)";
const TAKE_STEP: &str = "DELETE FROM oidc_step WHERE id = $1 AND expires_at > $2";
const FIND: &str = "SELECT user_id FROM oidc_identity WHERE subject_hash = $1";
const LINK: &str = "INSERT INTO oidc_identity (subject_hash, user_id, linked_at)
    VALUES ($1, $2, $3) ON CONFLICT (subject_hash) DO NOTHING";

/// Keeps a step that may be taken.
pub(crate) async fn add_step(
    session: &mut Session,
    id: Uuid,
    expires_at: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(ADD_STEP)
        .bind(id).bind(expires_at).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether a step may be taken.
pub(crate) async fn has_step(
    session: &mut Session,
    id: Uuid,
    now: i64,
) -> Result<bool, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(HAS_STEP).bind(id).bind(now).fetch_one(c).await)?)
}

/// Takes a step: it works once. Says whether it did.
pub(crate) async fn take_step(
    session: &mut Session,
    id: Uuid,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(TAKE_STEP)
        .bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Who is called so by the provider.
pub(crate) async fn find(
    session: &mut Session,
    subject_hash: &str,
) -> Result<Option<UserId>, DatabaseError> {
    let user: Option<Uuid> = sql!(session, c => sqlx::query_scalar(FIND)
        .bind(subject_hash).fetch_optional(c).await)?;
    Ok(user.map(UserId))
}

/// Notes who is called so by the provider. Says whether it was nobody.
pub(crate) async fn link(
    session: &mut Session,
    subject_hash: &str,
    user: UserId,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(LINK)
        .bind(subject_hash).bind(user.0).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
