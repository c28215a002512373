//! The inbox: which events a consumer is done with, written in the transaction of their effects.

use std::collections::HashSet;

use envelope::Decoded;
use uuid::Uuid;

use crate::database::{DatabaseError, Dialect, Sql, json_text};
use crate::fault;
use crate::sql;
use crate::unit_of_work::Work;

/// Which of these are not noted yet. In SQLite nobody else writes meanwhile, in PostgreSQL they are
/// noted by the same statement. One row, as each costs more than what is in it.
const FRESH: Sql = Sql {
    sqlite: "SELECT json_group_array(value) FROM json_each($2) AS given WHERE NOT EXISTS (
                 SELECT 1 FROM inbox WHERE consumer = $1 AND event_id = unhex(given.value))",
    postgres: "WITH fresh AS (
                   INSERT INTO inbox (consumer, event_id, handled_at)
                   SELECT $1, value::uuid, $3 FROM jsonb_array_elements_text($2::jsonb) AS v(value)
                   ON CONFLICT DO NOTHING RETURNING event_id)
               SELECT COALESCE(json_agg(event_id), '[]')::text FROM fresh",
};
const INSERT_IN_SQLITE: &str = "INSERT INTO inbox (consumer, event_id, handled_at)
    SELECT $1, unhex(value), $3 FROM json_each($2)";

/// What only the fault `short-inbox` does: it forgets what is older than this batch.
const FORGET: &str = "DELETE FROM inbox WHERE handled_at < $1";

/// Notes events, and says which were not noted before.
pub(crate) async fn insert(
    work: &mut Work,
    consumer: &str,
    events: &[&Decoded],
) -> Result<HashSet<Uuid>, DatabaseError> {
    let ids: HashSet<Uuid> = events.iter().map(|event| event.envelope.id.0).collect();
    if ids.is_empty() || fault::is("no-inbox") {
        return Ok(ids);
    }
    let ids: Vec<_> = ids.iter().map(Uuid::as_simple).collect();
    let list = json_text(&ids)?;
    let now = work.clock().micros();
    let text = FRESH.text(work.dialect());
    let fresh: String = sql!(work, c => sqlx::query_scalar(text)
        .bind(consumer).bind(&list).bind(now).fetch_one(c).await)?;
    if work.dialect() == Dialect::Sqlite {
        sql!(work, c => sqlx::query(INSERT_IN_SQLITE)
            .bind(consumer).bind(&fresh).bind(now).execute(c).await.map(drop))?;
    }
    if fault::is("short-inbox") {
        sql!(work, c => sqlx::query(FORGET).bind(now).execute(c).await.map(drop))?;
    }
    let fresh = serde_json::from_str(&fresh).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(fresh)
}
