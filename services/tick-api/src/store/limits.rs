//! How people limited what is done with their data.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{UserId, user};
use uuid::Uuid;

use super::id_list;
use crate::ranking;

// What came later stands, in whatever order it is told.
const SET: &str = "INSERT INTO limited (user_id, restricted, unscored, unplaced, changed_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET restricted = excluded.restricted, unscored = excluded.unscored,
        unplaced = excluded.unplaced, changed_at = excluded.changed_at
    WHERE excluded.changed_at > limited.changed_at";
const OF: Sql = Sql {
    sqlite: "SELECT user_id, restricted, unplaced FROM limited
             WHERE user_id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT user_id, restricted, unplaced FROM limited
               WHERE user_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const TAKE_PLACES: &str = "UPDATE tick SET place = NULL WHERE owner = $1 AND place IS NOT NULL
    AND EXISTS (SELECT 1 FROM limited WHERE limited.user_id = tick.owner AND limited.unplaced = true)";
const TAKE_SCORES: &str =
    "UPDATE image SET score = NULL, reasons = NULL, model = NULL WHERE owner = $1 AND score IS NOT NULL
        AND EXISTS (SELECT 1 FROM limited WHERE limited.user_id = image.owner AND limited.unscored = true)
    RETURNING id, rating_count, rating_sum";
const RANK: Sql = Sql {
    sqlite: "UPDATE image SET rank_value = v.value->>1
             FROM json_each($1) AS v WHERE image.id = unhex(v.value->>0)",
    postgres: "UPDATE image SET rank_value = (v.value->>1)::double precision
               FROM jsonb_array_elements($1::jsonb) AS v(value) WHERE image.id = (v.value->>0)::uuid",
};

/// Notes what somebody limited, unless something later is known.
pub(crate) async fn set(
    session: &mut Session,
    limit: &user::Limit,
    at: i64,
) -> Result<(), DatabaseError> {
    let (unscored, unplaced) = (limit.objections.scoring, limit.withdrawn.places);
    sql!(session, c => sqlx::query(SET).bind(limit.user.id.0)
        .bind(limit.restricted).bind(unscored).bind(unplaced).bind(at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Takes the exact places of somebody's sightings away if they do not consent to them; says how many there were.
pub(crate) async fn take_places(session: &mut Session, user: UserId) -> Result<u64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query(TAKE_PLACES).bind(user.0)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Takes the scores of somebody's photos away if they objected to them.
pub(crate) async fn take_scores(session: &mut Session, user: UserId) -> Result<(), DatabaseError> {
    let images: Vec<(Uuid, i64, i64)> =
        sql!(session, c => sqlx::query_as(TAKE_SCORES).bind(user.0).fetch_all(c).await)?;
    let ranks = images
        .into_iter()
        .map(|(image, count, sum)| (image.simple(), ranking::rank(None, count, sum)));
    session.write_rows(RANK, ranks.collect()).await
}

/// What new things of some people have to heed.
#[derive(Debug, Default)]
pub(crate) struct Limited {
    /// Who restricted what is done with their data.
    pub restricted: HashSet<Uuid>,
    /// Who does not consent to exact places.
    pub unplaced: HashSet<Uuid>,
}

/// What these people limited.
pub(crate) async fn of(
    session: &mut Session,
    people: impl IntoIterator<Item = Uuid>,
) -> Result<Limited, DatabaseError> {
    let list = id_list(people);
    let text = OF.text(session.dialect());
    let rows: Vec<(Uuid, bool, bool)> =
        sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?;
    let mut limited = Limited::default();
    for (user, restricted, unplaced) in rows {
        limited.restricted.extend(restricted.then_some(user));
        limited.unplaced.extend(unplaced.then_some(user));
    }
    Ok(limited)
}

/// Whether somebody restricted what is done with their data.
pub(crate) async fn is_restricted(
    session: &mut Session,
    user: UserId,
) -> Result<bool, DatabaseError> {
    Ok(of(session, [user.0]).await?.restricted.contains(&user.0))
}
