//! Deleting a person.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

const DELETE: [&str; 5] = [
    "DELETE FROM pending WHERE owner = $1 OR rater = $1
        OR image_id IN (SELECT image_id FROM image_owner WHERE owner = $1)",
    "DELETE FROM recipient WHERE owner = $1",
    "DELETE FROM account_mail WHERE user_id = $1",
    "DELETE FROM unsubscribe WHERE user_id = $1",
    "DELETE FROM image_owner WHERE owner = $1",
];

/// Deletes every row about a person; says how many went.
pub(crate) async fn delete(session: &mut Session, user: UserId) -> Result<u64, DatabaseError> {
    let mut rows = 0;
    for text in DELETE {
        rows += sql!(session, c => sqlx::query(text).bind(user.0).execute(c).await
            .map(|done| done.rows_affected()))?;
    }
    Ok(rows)
}
