//! Deleting a person.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

use super::accounts;

const DELETE: [&str; 5] = [
    "DELETE FROM pending WHERE owner = $1 OR rater = $1
        OR image_id IN (SELECT image_id FROM image_owner WHERE owner = $1)",
    "DELETE FROM recipient WHERE owner = $1",
    "DELETE FROM account_mail WHERE user_id = $1",
    "DELETE FROM unsubscribe WHERE user_id = $1",
    "DELETE FROM image_owner WHERE owner = $1",
];

const RATINGS_UNDER_WAY: &str =
    "SELECT mail_id FROM recipient WHERE owner = $1 AND mail_id IS NOT NULL AND claimed_until > $2";

/// The mails to a person that some process is handing over.
pub(crate) async fn mails_under_way(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<Vec<Uuid>, DatabaseError> {
    let mut mails: Vec<Uuid> = sql!(session, c => sqlx::query_scalar(RATINGS_UNDER_WAY)
        .bind(user.0).bind(now).fetch_all(c).await)?;
    let turns = accounts::claimed(session, user, now).await?;
    mails.extend(turns.iter().map(accounts::Turn::mail_id));
    Ok(mails)
}

/// Deletes every row about a person; says how many went.
pub(crate) async fn delete(session: &mut Session, user: UserId) -> Result<u64, DatabaseError> {
    let mut rows = 0;
    for text in DELETE {
        rows += sql!(session, c => sqlx::query(text).bind(user.0).execute(c).await
            .map(|done| done.rows_affected()))?;
    }
    Ok(rows)
}
