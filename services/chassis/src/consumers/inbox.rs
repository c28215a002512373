//! The inbox: which events a consumer is done with, written in the transaction of their effects.

use std::collections::HashSet;

use envelope::Decoded;
use uuid::Uuid;

use crate::database::{DatabaseError, Sql};
use crate::fault;
use crate::sql;
use crate::unit_of_work::Work;

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO inbox (consumer, event_id, handled_at)
             SELECT $1, unhex(value), $2 FROM json_each($3) WHERE true
             ON CONFLICT DO NOTHING RETURNING event_id",
    postgres: "INSERT INTO inbox (consumer, event_id, handled_at)
               SELECT $1, value::uuid, $2 FROM jsonb_array_elements_text($3::jsonb) AS v(value)
               ON CONFLICT DO NOTHING RETURNING event_id",
};

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
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let list = serde_json::Value::from(ids).to_string();
    let now = work.clock().micros();
    let text = INSERT.text(work.dialect());
    let fresh: Vec<Uuid> = sql!(work, c => sqlx::query_scalar(text)
        .bind(consumer).bind(now).bind(&list).fetch_all(c).await)?;
    if fault::is("short-inbox") {
        sql!(work, c => sqlx::query(FORGET).bind(now).execute(c).await.map(drop))?;
    }
    Ok(fresh.into_iter().collect())
}
