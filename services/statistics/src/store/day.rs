//! What a day's breakdowns are made of: who is how often in which cell.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use uuid::Uuid;

use super::limits::{is_counted, rating_is_counted};
use crate::period::{DAY_MICROS, Period};

const TICKS: &str = concat!(
    "SELECT species_id, user_id, COUNT(*) FROM tick
    WHERE stands = true AND at >= $1 AND at < $2 AND ",
    is_counted!(),
    " GROUP BY species_id, user_id"
);
const RATINGS: &str = concat!(
    "SELECT value, user_id, COUNT(*) FROM rating
    WHERE value IS NOT NULL AND at >= $1 AND at < $2 AND ",
    rating_is_counted!(),
    " GROUP BY value, user_id"
);
// Each part finds its first row in an index.
const NEXT: &str = "SELECT MIN(day) FROM (
        SELECT MIN(at) / $1 AS day FROM tick WHERE stands = true AND at >= $2
        UNION ALL SELECT MIN(at) / $1 FROM rating WHERE value IS NOT NULL AND at >= $2
        UNION ALL SELECT MIN(at) / $1 FROM fact WHERE kind = 'score' AND at >= $2
        UNION ALL SELECT MIN(at) / $1 FROM fact WHERE kind = 'notification' AND at >= $2
        UNION ALL SELECT MIN(at) / $1 FROM fact WHERE kind = 'login' AND at >= $2
        UNION ALL SELECT MIN(day) FROM sealed WHERE day >= $2 / $1
    ) AS days";

/// How often each person ticked each species; no species where the bird is not known.
pub(crate) async fn ticks_by_species(
    session: &mut Session,
    day: Period,
) -> Result<Vec<(Option<String>, Uuid, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(TICKS)
        .bind(day.from).bind(day.until).fetch_all(c).await)?)
}

/// How often each person gave each rating from 1 to 5.
pub(crate) async fn ratings_by_value(
    session: &mut Session,
    day: Period,
) -> Result<Vec<(Option<i64>, Uuid, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(RATINGS)
        .bind(day.from).bind(day.until).fetch_all(c).await)?)
}

/// The first day from one on, both counted from 1970, on which anything happened.
pub(crate) async fn next(session: &mut Session, day: i64) -> Result<Option<i64>, DatabaseError> {
    let from = Period::of_day(day).from;
    Ok(sql!(session, c => sqlx::query_scalar(NEXT).bind(DAY_MICROS).bind(from).fetch_one(c).await)?)
}
