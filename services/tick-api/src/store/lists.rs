//! A birder's lists: each species once, with its first tick.

use chassis::database::{DatabaseError, Session};
use chassis::http::Cursor;
use chassis::sql;
use chrono::NaiveDate;
use envelope::UserId;
use uuid::Uuid;

const FIRSTS: &str = "SELECT id, species, day, image FROM (
        SELECT id, species, day, image,
               ROW_NUMBER() OVER (PARTITION BY species ORDER BY day, created_at, id) AS nth
        FROM tick WHERE owner = $1 AND species IS NOT NULL AND day >= $2 AND day <= $3
    ) AS ticks
    WHERE nth = 1 AND (day, id) < ($4, $5) ORDER BY day DESC, id DESC LIMIT $6";

/// The days that a list is about, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    /// The first.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

/// A species and its first tick.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct FirstTick {
    /// The tick.
    pub id: Uuid,
    /// The species.
    pub species: String,
    /// When it was seen, or ticked.
    pub day: NaiveDate,
    /// The tick's image.
    pub image: Uuid,
}

/// The first tick of each species in these days, the latest addition first.
pub(crate) async fn first_ticks(
    session: &mut Session,
    owner: UserId,
    days: Days,
    after: Cursor<NaiveDate>,
    limit: i64,
) -> Result<Vec<FirstTick>, DatabaseError> {
    let rows = sql!(session, c => sqlx::query_as(FIRSTS).bind(owner.0).bind(days.first).bind(days.last)
        .bind(after.key).bind(after.id).bind(limit).fetch_all(c).await)?;
    Ok(rows)
}
