//! Ticks: made in groups, read, corrected and deleted one by one.

mod correction;
mod group;
#[cfg(test)]
mod tests;

use chassis::database::{DatabaseError, Session};
use chassis::http::Cursor;
use chassis::sql;
use chassis::trace::TraceParent;
use chrono::{DateTime, NaiveDate, Utc};
use envelope::{ImageId, TickId, UserId, tick};
use uuid::Uuid;

pub(crate) use correction::{Correction, Revised, correct, revise};

use super::images;

macro_rules! row {
    () => {
        "SELECT id, image, species, seen_on, birds, place, note, created_at FROM tick "
    };
}

const FIND: &str = concat!(row!(), "WHERE id = $1 AND owner = $2");
const LIST: &str = concat!(
    row!(),
    "WHERE owner = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
);
const DELETE: &str = "DELETE FROM tick WHERE id = $1 AND owner = $2 RETURNING image";
const REMEMBER: &str = "INSERT INTO deleted_tick (id, owner, deleted_at) VALUES ($1, $2, $3)";
const LEAVE_FEED: &str = "UPDATE image SET ticked_at = NULL
    WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM tick WHERE image = $1)";

/// A tick to be made, checked and sealed.
#[derive(Clone, Debug)]
pub(crate) struct NewTick {
    /// Its id, which is its event's id.
    pub id: TickId,
    /// What others learn of it.
    pub event: tick::New,
    /// The day on which the bird was seen, as its owner reads it.
    pub seen_on: Option<NaiveDate>,
    /// The precise place, sealed, as hexadecimal digits.
    pub place: Option<String>,
    /// The note, sealed, as hexadecimal digits.
    pub note: Option<String>,
    /// By what the same request is recognised.
    pub fingerprint: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// By which request.
    pub trace: Option<TraceParent>,
}

/// A tick as its owner reads it, still sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct TickRow {
    /// Its id.
    pub id: Uuid,
    /// Its image.
    pub image: Uuid,
    /// Its species.
    pub species: Option<String>,
    /// When the bird was seen.
    pub seen_on: Option<NaiveDate>,
    /// How many there were.
    pub birds: Option<i64>,
    /// The precise place, sealed.
    pub place: Option<Vec<u8>>,
    /// The note, sealed.
    pub note: Option<Vec<u8>>,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
}

/// A tick of this owner.
pub(crate) async fn find(
    session: &mut Session,
    owner: UserId,
    tick: TickId,
) -> Result<Option<TickRow>, DatabaseError> {
    let row = sql!(session, c => sqlx::query_as(FIND).bind(tick.0).bind(owner.0).fetch_optional(c).await)?;
    Ok(row)
}

/// This owner's ticks, the newest first.
pub(crate) async fn list(
    session: &mut Session,
    owner: UserId,
    after: Cursor<i64>,
    limit: i64,
) -> Result<Vec<TickRow>, DatabaseError> {
    let rows = sql!(session, c => sqlx::query_as(LIST).bind(owner.0)
        .bind(after.key).bind(after.id).bind(limit).fetch_all(c).await)?;
    Ok(rows)
}

/// Deletes a tick of this owner; an image that no tick shows any more leaves the feed. False when there is none.
pub(crate) async fn delete(
    session: &mut Session,
    owner: UserId,
    tick: TickId,
    now: i64,
) -> Result<bool, DatabaseError> {
    let image: Option<Uuid> = sql!(session, c => sqlx::query_scalar(DELETE).bind(tick.0).bind(owner.0).fetch_optional(c).await)?;
    let Some(image) = image.map(ImageId::from) else {
        return Ok(false);
    };
    sql!(session, c => sqlx::query(REMEMBER).bind(tick.0).bind(owner.0).bind(now).execute(c).await.map(drop))?;
    // Whoever ticks with this image right now is waited for, and seen by the next statement.
    images::standing(session, [image.0]).await?;
    sql!(session, c => sqlx::query(LEAVE_FEED).bind(image.0).execute(c).await.map(drop))?;
    Ok(true)
}
