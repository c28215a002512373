//! How people limited what is done with their data.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const FIND: &str =
    "SELECT restricted, scoring, statistics, places FROM processing_limit WHERE user_id = $1";
// Nothing is written where nothing changes: neither what stands already, nor that somebody never limited anything.
// A row is there as soon as anything was limited, and keeps changes at the same time apart.
const SET: &str =
    "INSERT INTO processing_limit (user_id, restricted, scoring, statistics, places, changed_at)
    SELECT $1, $2, $3, $4, false, $5
    WHERE $2 OR $3 OR $4 OR EXISTS (SELECT 1 FROM processing_limit WHERE user_id = $1)
    ON CONFLICT (user_id) DO UPDATE SET restricted = excluded.restricted, scoring = excluded.scoring,
        statistics = excluded.statistics, changed_at = excluded.changed_at
    WHERE (processing_limit.restricted, processing_limit.scoring, processing_limit.statistics)
        <> (excluded.restricted, excluded.scoring, excluded.statistics)";
const SET_PLACES: &str =
    "INSERT INTO processing_limit (user_id, restricted, scoring, statistics, places, changed_at)
    SELECT $1, false, false, false, $2, $3
    WHERE $2 OR EXISTS (SELECT 1 FROM processing_limit WHERE user_id = $1)
    ON CONFLICT (user_id) DO UPDATE SET places = excluded.places, changed_at = excluded.changed_at
    WHERE processing_limit.places <> excluded.places";
const DELETE: &str = "DELETE FROM processing_limit WHERE user_id = $1";

/// What somebody restricted and objects to; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Wish {
    /// Their data is kept, and nothing else is done with it.
    pub restricted: bool,
    /// Their photos get no score.
    pub scoring: bool,
    /// They are in no figure.
    pub statistics: bool,
}

/// All that others have to heed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Standing {
    /// What they restricted and object to.
    #[sqlx(flatten)]
    pub wish: Wish,
    /// The exact places of their sightings are not kept.
    pub places: bool,
}

/// What stands of somebody.
pub(crate) async fn find(session: &mut Session, user: UserId) -> Result<Standing, DatabaseError> {
    let row: Option<Standing> =
        sql!(session, c => sqlx::query_as(FIND).bind(user.0).fetch_optional(c).await)?;
    Ok(row.unwrap_or_default())
}

/// Sets what somebody restricted and objects to; says whether that is new.
pub(crate) async fn set(
    session: &mut Session,
    user: UserId,
    wish: Wish,
    now: i64,
) -> Result<bool, DatabaseError> {
    let Wish {
        restricted,
        scoring,
        statistics,
    } = wish;
    let rows = sql!(session, c => sqlx::query(SET).bind(user.0)
        .bind(restricted).bind(scoring).bind(statistics).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Sets whether somebody took back their consent to exact places; says whether that is new.
pub(crate) async fn set_places(
    session: &mut Session,
    user: UserId,
    withdrawn: bool,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(SET_PLACES).bind(user.0).bind(withdrawn).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Forgets what somebody limited.
pub(crate) async fn delete(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
