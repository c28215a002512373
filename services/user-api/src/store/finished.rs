//! Requests that are done, until nobody needs to ask for them any more. They name nobody.

use chassis::database::{DatabaseError, Session};
use chassis::sql;

const FORGET_SERVICES: &str = "DELETE FROM erasure_service WHERE event_id IN
    (SELECT event_id FROM erasure WHERE state = 'erased' AND needles_sealed IS NULL
     AND COALESCE(backups_end_at, finished_at) < $1)";
const FORGET_ERASURES: &str =
    "DELETE FROM erasure WHERE state = 'erased' AND needles_sealed IS NULL
    AND COALESCE(backups_end_at, finished_at) < $1";
const FORGET_EXPORTS: &str = "DELETE FROM export WHERE state = 'expired' AND expires_at < $1";

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
