//! Everything that the database holds about a person, found and deleted.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::{EventId, ImageId, UserId};
use uuid::Uuid;

use super::imports;
use super::ratings::{self, Board, Entry, Pair};

/// Uploads that have not ended count: their files may be there.
const IMAGES: &str =
    "SELECT id FROM image WHERE owner = $1 UNION SELECT id FROM upload WHERE owner = $1";
/// In this order nothing refers to what is gone already.
const DELETES: [&str; 8] = [
    "DELETE FROM report WHERE reporter = $1 OR image IN (SELECT id FROM image WHERE owner = $1)",
    "DELETE FROM moderation_case WHERE image IN (SELECT id FROM image WHERE owner = $1)",
    "DELETE FROM rating WHERE rater = $1 OR image IN (SELECT id FROM image WHERE owner = $1)",
    "DELETE FROM tick WHERE owner = $1",
    "DELETE FROM deleted_tick WHERE owner = $1",
    "DELETE FROM upload WHERE owner = $1",
    "DELETE FROM image WHERE owner = $1",
    "DELETE FROM limited WHERE user_id = $1",
];

/// All images of a person.
pub(crate) async fn images_of(
    session: &mut Session,
    user: UserId,
) -> Result<Vec<ImageId>, DatabaseError> {
    let ids: Vec<Uuid> =
        sql!(session, c => sqlx::query_scalar(IMAGES).bind(user.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(ImageId::from).collect())
}

/// Takes a person's ratings out of the figures of others' images, then deletes all rows of the person. Says how many
/// rows went.
pub(crate) async fn delete_rows(
    session: &mut Session,
    user: UserId,
    because: EventId,
) -> Result<u64, DatabaseError> {
    withdraw_ratings(session, user, because).await?;
    let mut rows = 0;
    for delete in DELETES {
        rows += sql!(session, c => sqlx::query(delete).bind(user.0).execute(c).await.map(|done| done.rows_affected()))?;
    }
    Ok(rows + imports::forget_needless(session).await?)
}

async fn withdraw_ratings(
    session: &mut Session,
    user: UserId,
    because: EventId,
) -> Result<(), DatabaseError> {
    let rated = ratings::rated_by(session, user).await?;
    let pairs: Vec<Pair> = rated
        .into_iter()
        .map(|image| (ImageId(image), user))
        .collect();
    let mut board = Board::read(session, &pairs).await?;
    let withdrawn = Entry {
        rating: None,
        event: because,
        at: 0,
    };
    for pair in pairs {
        board.set(pair, withdrawn);
    }
    board.write(session).await
}
