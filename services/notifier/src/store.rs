//! All SQL of the service.

pub(crate) mod accounts;
pub(crate) mod erasure;
pub(crate) mod images;
pub(crate) mod ratings;
#[cfg(test)]
mod tests;
pub(crate) mod unsubscribes;

use chassis::database::{DatabaseError, Session};
use chassis::sql;

const NEXT_DUE: &str =
    "SELECT MIN(CASE WHEN due_at > claimed_until THEN due_at ELSE claimed_until END)
    FROM (SELECT due_at, claimed_until FROM recipient WHERE due_at IS NOT NULL
          UNION ALL SELECT due_at, claimed_until FROM account_mail) AS waiting";
const RELEASE: [&str; 2] = [
    "UPDATE recipient SET claimed_until = 0 WHERE claimed_until <> 0",
    "UPDATE account_mail SET claimed_until = 0 WHERE claimed_until <> 0",
];

/// When there is something to look at next, in microseconds since 1970.
pub(crate) async fn next_due(session: &mut Session) -> Result<Option<i64>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(NEXT_DUE).fetch_one(c).await)?)
}

/// Gives all claims up: for a process that knows that it is the only one.
pub(crate) async fn release_all(session: &mut Session) -> Result<(), DatabaseError> {
    for text in RELEASE {
        sql!(session, c => sqlx::query(text).execute(c).await.map(drop))?;
    }
    Ok(())
}
