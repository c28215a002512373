//! Deleting a person.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const IMAGES: &str =
    "SELECT DISTINCT image_id FROM tick WHERE user_id = $1 AND image_id IS NOT NULL
     UNION SELECT image_id FROM rating WHERE owner = $1";
/// In this order: the person's ticks say which images are theirs.
const DELETE: [&str; 6] = [
    "DELETE FROM rating WHERE user_id = $1 OR owner = $1
        OR owner IS NULL AND image_id IN (SELECT image_id FROM tick WHERE user_id = $1)",
    "DELETE FROM fact WHERE user_id = $1
        OR image_id IN (SELECT image_id FROM tick WHERE user_id = $1)",
    "DELETE FROM image_score WHERE image_id IN (SELECT image_id FROM tick WHERE user_id = $1)",
    "DELETE FROM tick WHERE user_id = $1",
    "DELETE FROM person WHERE user_id = $1",
    "DELETE FROM limited WHERE user_id = $1",
];

const FORGET_IMAGE: [&str; 3] = [
    "DELETE FROM rating WHERE image_id = $1",
    "DELETE FROM fact WHERE image_id = $1",
    "DELETE FROM image_score WHERE image_id = $1",
];

/// The images that are known to be a person's.
pub(crate) async fn images_of(
    session: &mut Session,
    user: UserId,
) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(IMAGES).bind(user.0).fetch_all(c).await)?)
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

/// Deletes what is known of an image.
pub(crate) async fn forget_image(session: &mut Session, image: Uuid) -> Result<(), DatabaseError> {
    for text in FORGET_IMAGE {
        sql!(session, c => sqlx::query(text).bind(image).execute(c).await.map(drop))?;
    }
    Ok(())
}
