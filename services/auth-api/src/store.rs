//! All SQL of AuthAPI.

pub(crate) mod credentials;
pub(crate) mod oidc;
pub(crate) mod resets;
pub(crate) mod second_factors;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod suspensions;

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

const ERASE: [&str; 9] = [
    "DELETE FROM oidc_identity WHERE user_id = $1",
    "DELETE FROM second_factor WHERE user_id = $1",
    "DELETE FROM recovery_code WHERE user_id = $1",
    "DELETE FROM password_reset WHERE user_id = $1",
    "DELETE FROM suspension WHERE user_id = $1",
    "DELETE FROM session WHERE user_id = $1",
    "DELETE FROM confirmation WHERE user_id = $1",
    "DELETE FROM mailed_code WHERE user_id = $1",
    "DELETE FROM credential WHERE user_id = $1",
];

/// Deletes everything about a user. Returns how many rows that was.
pub(crate) async fn erase(session: &mut Session, user: UserId) -> Result<u64, DatabaseError> {
    let mut rows = 0;
    for text in ERASE {
        rows += sql!(session, c => sqlx::query(text).bind(user.0).execute(c).await.map(|done| done.rows_affected()))?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
