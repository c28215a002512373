//! Totals of the whole platform.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use clients::statistics::Figures;

use super::limits::{fact_is_counted, image_is_counted, is_counted, rating_is_counted};

// Each figure is counted in an index that holds all it needs, but for ratings; the other tables are not read.
const TOTALS: &str = concat!(
    "SELECT (SELECT COUNT(*) FROM tick WHERE stands = true AND ",
    is_counted!(),
    "), (SELECT COUNT(*) FROM rating WHERE value IS NOT NULL AND ",
    rating_is_counted!(),
    "), (SELECT COUNT(*) FROM (SELECT DISTINCT image_id FROM tick WHERE stands = true AND ",
    is_counted!(),
    ") AS images), (SELECT COUNT(*) FROM fact WHERE kind = 'score' AND ",
    image_is_counted!(),
    "), (SELECT COUNT(*) FROM fact WHERE kind = 'notification' AND ",
    fact_is_counted!(),
    ") + (SELECT COALESCE(CAST(SUM(events) AS BIGINT), 0) FROM sealed WHERE kind = 'notification')
       + (SELECT COALESCE(CAST(SUM(n) AS BIGINT), 0) FROM retired WHERE kind = 'notification'),
    (SELECT COUNT(*) FROM fact WHERE kind = 'login' AND ",
    fact_is_counted!(),
    ") + (SELECT COALESCE(CAST(SUM(events) AS BIGINT), 0) FROM sealed WHERE kind = 'login')
       + (SELECT COALESCE(CAST(SUM(n) AS BIGINT), 0) FROM retired WHERE kind = 'login'),
    (SELECT COUNT(*) FROM (SELECT DISTINCT user_id FROM person WHERE ",
    is_counted!(),
    ") AS people)"
);
const RATINGS_BY_VALUE: &str = concat!(
    "SELECT value, COUNT(*) FROM rating WHERE value IS NOT NULL AND ",
    rating_is_counted!(),
    " GROUP BY value ORDER BY value"
);
const TOP_SPECIES: &str = concat!(
    "SELECT species_id, MAX(scientific), MAX(english), COUNT(*) AS ticks FROM tick
    WHERE stands = true AND species_id IS NOT NULL AND ",
    is_counted!(),
    " GROUP BY species_id HAVING COUNT(DISTINCT user_id) >= $1
    ORDER BY ticks DESC, species_id LIMIT $2"
);

const SPECIES: &str = concat!(
    "SELECT species_id, MAX(scientific), MAX(english) FROM tick
    WHERE stands = true AND species_id = $1 AND ",
    is_counted!(),
    " GROUP BY species_id HAVING COUNT(DISTINCT user_id) >= $2"
);

type Totals = (i64, i64, i64, i64, i64, i64, i64);

/// A species' id, scientific and English name, and how many ticks of it stand.
pub(crate) type SpeciesRow = (String, String, String, i64);

/// A species' id, scientific and English name.
pub(crate) type Names = (String, String, String);

/// The totals.
pub(crate) async fn totals(session: &mut Session) -> Result<Figures, DatabaseError> {
    let (ticks, ratings, images, scores, notifications, logins, users): Totals =
        sql!(session, c => sqlx::query_as(TOTALS).fetch_one(c).await)?;
    Ok(Figures {
        ticks,
        ratings,
        images,
        scores,
        notifications,
        logins,
        users,
    })
}

/// Each rating that stands and how often it does.
pub(crate) async fn ratings_by_value(
    session: &mut Session,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(RATINGS_BY_VALUE).fetch_all(c).await)?)
}

/// The species with most ticks that at least `k` people ticked.
pub(crate) async fn top_species(
    session: &mut Session,
    k: i64,
    limit: i64,
) -> Result<Vec<SpeciesRow>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(TOP_SPECIES).bind(k).bind(limit).fetch_all(c).await)?)
}

/// A species that at least `k` people ticked.
pub(crate) async fn species(
    session: &mut Session,
    id: &str,
    k: i64,
) -> Result<Option<Names>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(SPECIES).bind(id).bind(k).fetch_optional(c).await)?)
}
