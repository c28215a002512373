//! Requests that are done, until nobody needs to ask for them any more. They name nobody.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use uuid::Uuid;

// An event of a foreign producer asks for an erasure without a secret id: nobody could prove that its receipt is theirs.
const ERASURES: &str = "SELECT event_id, requested_at, due_at, finished_at, backups_end_at FROM erasure
    WHERE finished_at IS NOT NULL AND request_hash IS NOT NULL ORDER BY finished_at DESC, event_id LIMIT $1";
const REQUEST_HASH: &str =
    "SELECT request_hash FROM erasure WHERE event_id = $1 AND request_hash IS NOT NULL";
const FORGET_SERVICES: &str = "DELETE FROM erasure_service WHERE event_id IN
    (SELECT event_id FROM erasure WHERE state = 'erased' AND needles_sealed IS NULL
     AND COALESCE(backups_end_at, finished_at) < $1)";
const FORGET_ERASURES: &str =
    "DELETE FROM erasure WHERE state = 'erased' AND needles_sealed IS NULL
    AND COALESCE(backups_end_at, finished_at) < $1";
const FORGET_EXPORTS: &str = "DELETE FROM export WHERE state = 'expired' AND expires_at < $1";

/// An erasure that is done and has a receipt.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Done {
    pub event_id: Uuid,
    pub requested_at: i64,
    pub due_at: i64,
    pub finished_at: i64,
    pub backups_end_at: Option<i64>,
}

/// Those that are done and have a receipt, the newest first.
pub(crate) async fn erasures(
    session: &mut Session,
    limit: i64,
) -> Result<Vec<Done>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(ERASURES).bind(limit).fetch_all(c).await)?)
}

/// The hash of a request's secret id, if its requester was given one.
pub(crate) async fn request_hash(
    session: &mut Session,
    event: Uuid,
) -> Result<Option<String>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(REQUEST_HASH).bind(event).fetch_optional(c).await)?)
}

/// Deletes erasure requests whose last backup was gone before. Says how many.
pub(crate) async fn forget_erasures(
    session: &mut Session,
    before: i64,
) -> Result<u64, DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_SERVICES).bind(before).execute(c).await.map(drop))?;
    Ok(sql!(session, c => sqlx::query(FORGET_ERASURES).bind(before)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Deletes requests for exports whose archives were gone before. Says how many.
pub(crate) async fn forget_exports(
    session: &mut Session,
    before: i64,
) -> Result<u64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query(FORGET_EXPORTS).bind(before)
        .execute(c).await.map(|done| done.rows_affected()))?)
}
