//! Who may not log in for a time.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

const SET: &str = "INSERT INTO suspension (user_id, suspended_until) VALUES ($1, $2)
    ON CONFLICT (user_id) DO UPDATE SET suspended_until = excluded.suspended_until";
const LIFT: &str = "DELETE FROM suspension WHERE user_id = $1";
const UNTIL: &str =
    "SELECT suspended_until FROM suspension WHERE user_id = $1 AND suspended_until > $2";

/// Shuts a user out until then, whatever was said before.
pub(crate) async fn set(
    session: &mut Session,
    user: UserId,
    until: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SET).bind(user.0).bind(until).execute(c).await.map(drop))?;
    Ok(())
}

/// Lets a user in again.
pub(crate) async fn lift(session: &mut Session, user: UserId) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(LIFT).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Until when a user is shut out, if they are.
pub(crate) async fn until(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<Option<i64>, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_scalar(UNTIL).bind(user.0).bind(now)
        .fetch_optional(c).await)?,
    )
}
