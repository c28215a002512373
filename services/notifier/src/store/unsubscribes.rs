//! Links that unsubscribe.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

/// A link in a mail that is older than a year need not work any more.
const LIFE_MICROS: i64 = 366 * 86_400_000_000;

const PRUNE: &str = "DELETE FROM unsubscribe WHERE user_id = $1 AND made_at < $2";
const INSERT: &str = "INSERT INTO unsubscribe (token_hash, user_id, made_at) VALUES ($1, $2, $3)";
const USER: &str = "SELECT user_id FROM unsubscribe WHERE token_hash = $1";

/// Keeps a new link's hash; those of the same person that are too old go.
pub(crate) async fn insert(
    session: &mut Session,
    token_hash: &str,
    user: UserId,
    now: i64,
) -> Result<(), DatabaseError> {
    let before = now - LIFE_MICROS;
    sql!(session, c => sqlx::query(PRUNE).bind(user.0).bind(before).execute(c).await.map(drop))?;
    sql!(session, c => sqlx::query(INSERT).bind(token_hash).bind(user.0).bind(now)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Whose link it is.
pub(crate) async fn user(
    session: &mut Session,
    token_hash: &str,
) -> Result<Option<UserId>, DatabaseError> {
    let user: Option<Uuid> =
        sql!(session, c => sqlx::query_scalar(USER).bind(token_hash).fetch_optional(c).await)?;
    Ok(user.map(UserId))
}
