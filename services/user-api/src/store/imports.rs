//! Imports that have not ended.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const FIND: &str = "SELECT archive, secret FROM import WHERE user_id = $1";
const INSERT: &str = "INSERT INTO import (user_id, archive, secret, begun_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const DELETE: &str = "DELETE FROM import WHERE user_id = $1";

/// An import that was begun.
#[derive(sqlx::FromRow)]
pub(crate) struct Import {
    /// The archive's hash.
    pub archive: String,
    /// Ids for those whom the archive does not name are made from it.
    pub secret: Uuid,
}

/// The open import of this user's account.
pub(crate) async fn find(
    session: &mut Session,
    user: UserId,
) -> Result<Option<Import>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(FIND).bind(user.0).fetch_optional(c).await)?)
}

/// Notes that an import was begun, unless one was.
pub(crate) async fn insert(
    session: &mut Session,
    user: UserId,
    new: &Import,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT)
        .bind(user.0).bind(&new.archive).bind(new.secret).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// The import is over.
pub(crate) async fn delete(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
