//! Uploads on their way: a picture's files are on the disk before its row is, and a crash in between must not leave
//! files behind that nobody knows of.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::{ImageId, UserId};
use uuid::Uuid;

use super::images::{NewImage, whole};

const INSERT: &str = "INSERT INTO upload (id, owner, begun_at, bytes) VALUES ($1, $2, $3, $4)";
/// As whole numbers: a sum of PostgreSQL is none.
const BYTES: &str = "SELECT CAST(COALESCE((SELECT SUM(bytes) FROM image WHERE owner = $1), 0)
    + COALESCE((SELECT SUM(bytes) FROM upload WHERE owner = $1), 0) AS BIGINT)";
const DELETE: &str = "DELETE FROM upload WHERE id = $1";
const ABANDONED: &str = "SELECT id FROM upload WHERE begun_at < $1 ORDER BY begun_at LIMIT 100";

/// Notes that files of this image are about to be written.
pub(crate) async fn begin(
    session: &mut Session,
    image: &NewImage,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT).bind(image.id.0).bind(image.owner.0).bind(now)
        .bind(whole(image.bytes)).execute(c).await.map(drop))?;
    Ok(())
}

/// How many bytes the pictures of somebody take, with those on their way.
pub(crate) async fn bytes_of(session: &mut Session, owner: UserId) -> Result<u64, DatabaseError> {
    let bytes: i64 =
        sql!(session, c => sqlx::query_scalar(BYTES).bind(owner.0).fetch_one(c).await)?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// The upload is over. False when it was given up, or its owner erased, in the meantime.
pub(crate) async fn end(session: &mut Session, image: ImageId) -> Result<bool, DatabaseError> {
    let ended = sql!(session, c => sqlx::query(DELETE).bind(image.0).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(ended > 0)
}

/// Uploads that began before this time and never ended.
pub(crate) async fn abandoned(
    session: &mut Session,
    before: i64,
) -> Result<Vec<ImageId>, DatabaseError> {
    let ids: Vec<Uuid> =
        sql!(session, c => sqlx::query_scalar(ABANDONED).bind(before).fetch_all(c).await)?;
    Ok(ids.into_iter().map(ImageId::from).collect())
}
