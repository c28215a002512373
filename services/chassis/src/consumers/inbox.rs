//! The inbox: which events a consumer is done with and what they said, written in the transaction of their effects.

use std::collections::{BTreeMap, HashSet};

use envelope::Decoded;
use uuid::Uuid;

use super::content::{are_different, content};
use crate::database::{DatabaseError, Dialect, Sql, json_text};
use crate::fault;
use crate::sql;
use crate::unit_of_work::Work;

/// Which of these are not noted yet, and which are noted with another content: id, content, and the other content. In SQLite
/// nobody else writes meanwhile, in PostgreSQL they are noted by the same statement. One row, as each costs more than what is
/// in it.
const COMPARE: Sql = Sql {
    sqlite: "SELECT json_group_array(json_array(given.value->>0, given.value->>1, known.content)) FROM json_each($2) AS given
             LEFT JOIN inbox AS known ON known.consumer = $1 AND known.event_id = unhex(given.value->>0)
             WHERE known.event_id IS NULL OR known.content <> given.value->>1",
    postgres: "WITH given AS MATERIALIZED (
                   SELECT (value->>0)::uuid AS event_id, (value->>1)::bigint AS content FROM jsonb_array_elements($2::jsonb) AS v(value)),
               fresh AS (
                   INSERT INTO inbox (consumer, event_id, handled_at, content)
                   SELECT $1, event_id, $3, content FROM given
                   ON CONFLICT DO NOTHING RETURNING event_id, content),
               compared AS (
                   SELECT event_id, content, NULL::bigint AS known FROM fresh
                   UNION ALL
                   SELECT given.event_id, given.content, inbox.content FROM given
                   JOIN inbox ON inbox.consumer = $1 AND inbox.event_id = given.event_id
                   WHERE inbox.content <> given.content)
               SELECT COALESCE(json_agg(json_build_array(event_id, content, known)), '[]')::text FROM compared",
};
const INSERT_IN_SQLITE: &str = "INSERT INTO inbox (consumer, event_id, handled_at, content)
    SELECT $1, unhex(value->>0), $3, value->>1 FROM json_each($2) WHERE value->>2 IS NULL";

/// What only the fault `short-inbox` does: it forgets what is older than this batch.
const FORGET: &str = "DELETE FROM inbox WHERE handled_at < $1";

/// What noting events came to.
#[derive(Default)]
pub(crate) struct Noted {
    /// The ids that were not noted before.
    pub fresh: HashSet<Uuid>,
    /// The places of events whose ids stand for other ones.
    pub others: Vec<usize>,
}

/// Notes events, each with its place in the batch.
pub(crate) async fn insert(
    work: &mut Work,
    consumer: &str,
    events: &[(usize, &Decoded)],
) -> Result<Noted, DatabaseError> {
    let key = &work.database().content_key;
    let said: Vec<(usize, Uuid, i64)> = events
        .iter()
        .map(|(place, event)| (*place, event.envelope.id.0, content(key, event)))
        .collect();
    let mut first = BTreeMap::new();
    for (_, id, content) in &said {
        first.entry(*id).or_insert(*content);
    }
    if first.is_empty() || fault::is("no-inbox") {
        return Ok(Noted {
            fresh: first.into_keys().collect(),
            others: Vec::new(),
        });
    }
    let compared = compare(work, consumer, &first).await?;
    let mut noted = Noted::default();
    for (id, _, known) in compared {
        match known {
            None => drop(noted.fresh.insert(id)),
            Some(known) => drop(first.insert(id, known)),
        }
    }
    let is_other = |(_, id, content): &&(usize, Uuid, i64)| {
        first
            .get(id)
            .is_some_and(|known| are_different(*known, *content))
    };
    noted.others = said
        .iter()
        .filter(is_other)
        .map(|(place, ..)| *place)
        .collect();
    Ok(noted)
}

/// Notes what is not noted yet. Answers these, and what is noted with another content.
async fn compare(
    work: &mut Work,
    consumer: &str,
    events: &BTreeMap<Uuid, i64>,
) -> Result<Vec<(Uuid, i64, Option<i64>)>, DatabaseError> {
    let rows: Vec<_> = events
        .iter()
        .map(|(id, content)| (id.simple(), content))
        .collect();
    let list = json_text(&rows)?;
    let now = work.clock().micros();
    let text = COMPARE.text(work.dialect());
    let compared: String = sql!(work, c => sqlx::query_scalar(text)
        .bind(consumer).bind(&list).bind(now).fetch_one(c).await)?;
    if work.dialect() == Dialect::Sqlite {
        sql!(work, c => sqlx::query(INSERT_IN_SQLITE)
            .bind(consumer).bind(&compared).bind(now).execute(c).await.map(drop))?;
    }
    if fault::is("short-inbox") {
        sql!(work, c => sqlx::query(FORGET).bind(now).execute(c).await.map(drop))?;
    }
    let compared = serde_json::from_str(&compared);
    Ok(compared.map_err(|error| sqlx::Error::Decode(error.into()))?)
}
