//! Ticks that were corrected, and whether what was said of them before is overwritten.

use chassis::database::{DatabaseError, Session, Sql, json_text};
use chassis::sql;
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

const CORRECT: Sql = Sql {
    sqlite: "INSERT INTO correction (tick, user_id, revision, asked, done)
             SELECT unhex(value->>0), unhex(value->>1), value->>2, 1, 0 FROM json_each($1) WHERE true
             ON CONFLICT (tick, user_id) DO UPDATE SET asked = correction.asked + 1,
                 revision = CASE WHEN excluded.revision > correction.revision
                                 THEN excluded.revision ELSE correction.revision END",
    postgres: "INSERT INTO correction (tick, user_id, revision, asked, done)
               SELECT (value->>0)::uuid, (value->>1)::uuid, (value->>2)::bigint, 1, 0
               FROM jsonb_array_elements($1::jsonb) AS v(value)
               ON CONFLICT (tick, user_id) DO UPDATE SET asked = correction.asked + 1,
                   revision = GREATEST(excluded.revision, correction.revision)",
};
const SEE: Sql = Sql {
    sqlite: "UPDATE correction SET asked = asked + 1
             WHERE tick IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "UPDATE correction SET asked = asked + 1
               WHERE tick IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const DUE: &str =
    "SELECT tick, user_id, revision, asked FROM correction WHERE asked > done LIMIT $1";
const DONE: &str = "UPDATE correction SET done = $3 WHERE tick = $1 AND user_id = $2 AND done < $3";
const FORGET: &str = "DELETE FROM correction WHERE user_id = $1";

/// A tick whose older states are to be overwritten.
#[derive(Clone, Copy, Debug, FromRow)]
pub(crate) struct Due {
    /// The tick.
    pub tick: Uuid,
    /// Whose it is.
    #[sqlx(rename = "user_id")]
    pub user: Uuid,
    /// The state that stays.
    pub revision: i64,
    /// What is done when all older ones are gone that were seen by now.
    pub asked: i64,
}

/// Notes ticks that were corrected: tick, whose it is, and which state it has now. Each tick once.
pub(crate) async fn correct(
    session: &mut Session,
    ticks: impl Iterator<Item = (Uuid, Uuid, i64)>,
) -> Result<(), DatabaseError> {
    let rows = ticks.map(|(tick, user, revision)| (tick.simple(), user.simple(), revision));
    write(session, CORRECT, rows.collect()).await
}

/// Notes that these ticks were told of for the first time: of those that are corrected that has to go.
pub(crate) async fn see(
    session: &mut Session,
    ticks: impl Iterator<Item = Uuid>,
) -> Result<(), DatabaseError> {
    write(session, SEE, ticks.map(Uuid::simple).collect()).await
}

async fn write<R: Serialize>(
    session: &mut Session,
    sql: Sql,
    rows: Vec<R>,
) -> Result<(), DatabaseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let (text, list) = (sql.text(session.dialect()), json_text(&rows)?);
    sql!(session, c => sqlx::query(text).bind(&list).execute(c).await.map(drop))?;
    Ok(())
}

/// The first that wait.
pub(crate) async fn due(session: &mut Session, limit: i64) -> Result<Vec<Due>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(DUE).bind(limit).fetch_all(c).await)?)
}

/// What was seen by then is overwritten.
pub(crate) async fn done(session: &mut Session, due: Due) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DONE).bind(due.tick).bind(due.user).bind(due.asked)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets somebody's ticks.
pub(crate) async fn forget(session: &mut Session, user: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET).bind(user).execute(c).await.map(drop))?;
    Ok(())
}
