//! The ledger of consents: entries are added, never changed.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const INSERT: &str =
    "INSERT INTO consent (id, user_id, purpose, language, version, sha256, given, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const OF_USER: &str = "SELECT id, purpose, language, version, sha256, given, at FROM consent
    WHERE user_id = $1 ORDER BY at, id";
const DELETE: &str = "DELETE FROM consent WHERE user_id = $1";

/// An entry of the ledger.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Entry {
    /// Its id.
    pub id: Uuid,
    /// About what.
    pub purpose: String,
    /// In which language the text was shown.
    pub language: String,
    /// Which version of it.
    pub version: i64,
    /// The hash of its exact bytes.
    pub sha256: String,
    /// Whether they agreed, or took it back.
    pub given: bool,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// Adds an entry.
pub(crate) async fn insert(
    session: &mut Session,
    user: UserId,
    entry: &Entry,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT).bind(entry.id).bind(user.0)
        .bind(&entry.purpose).bind(&entry.language).bind(entry.version)
        .bind(&entry.sha256).bind(entry.given).bind(entry.at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// All entries of somebody, the oldest first.
pub(crate) async fn of_user(
    session: &mut Session,
    user: UserId,
) -> Result<Vec<Entry>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(OF_USER).bind(user.0).fetch_all(c).await)?)
}

/// Deletes all entries of somebody.
pub(crate) async fn delete(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
