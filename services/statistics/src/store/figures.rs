//! Totals of the whole platform.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use clients::statistics::Figures;

// Each figure is counted in an index that holds all it needs; the tables are not read.
const TOTALS: &str = "SELECT
    (SELECT COUNT(*) FROM tick WHERE stands = true),
    (SELECT COUNT(*) FROM rating WHERE value IS NOT NULL),
    (SELECT COUNT(*) FROM (SELECT DISTINCT image_id FROM tick WHERE stands = true) AS images),
    (SELECT COUNT(*) FROM fact WHERE kind = 'score'),
    (SELECT COUNT(*) FROM fact WHERE kind = 'notification')
        + (SELECT COALESCE(CAST(SUM(events) AS BIGINT), 0) FROM sealed WHERE kind = 'notification')
        + (SELECT COALESCE(CAST(SUM(n) AS BIGINT), 0) FROM retired WHERE kind = 'notification'),
    (SELECT COUNT(*) FROM fact WHERE kind = 'login')
        + (SELECT COALESCE(CAST(SUM(events) AS BIGINT), 0) FROM sealed WHERE kind = 'login')
        + (SELECT COALESCE(CAST(SUM(n) AS BIGINT), 0) FROM retired WHERE kind = 'login'),
    (SELECT COUNT(*) FROM (SELECT DISTINCT user_id FROM person) AS people)";
const RATINGS_BY_VALUE: &str = "SELECT value, COUNT(*) FROM rating WHERE value IS NOT NULL
    GROUP BY value ORDER BY value";
const TOP_SPECIES: &str =
    "SELECT species_id, MAX(scientific), MAX(english), COUNT(*) AS ticks FROM tick
    WHERE stands = true AND species_id IS NOT NULL
    GROUP BY species_id HAVING COUNT(DISTINCT user_id) >= $1
    ORDER BY ticks DESC, species_id LIMIT $2";

type Totals = (i64, i64, i64, i64, i64, i64, i64);

/// A species' id, scientific and English name, and how many ticks of it stand.
pub(crate) type SpeciesRow = (String, String, String, i64);

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
