//! Publishing a sent event once more, so that the broker stores it although it may remember the
//! first time. Consumers know it by its id.

use std::collections::HashSet;

use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use crate::database::{Database, DatabaseError, Sql};
use crate::fault;
use crate::ids::ids_in;
use crate::sql;
use crate::unit_of_work::Work;

const AGAIN: &str = ":again-";

const FIND: Sql = Sql {
    sqlite: "SELECT position, message_id, people, stream FROM outbox
             WHERE sent_at IS NOT NULL AND position IN (SELECT value FROM json_each($1))",
    postgres: "SELECT position, message_id, people, stream FROM outbox
               WHERE sent_at IS NOT NULL AND position IN
                   (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb) AS v(value)) FOR UPDATE",
};
const UNSEND: Sql = Sql {
    sqlite: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL, message_id = v.value->>1
             FROM json_each($1) AS v WHERE position = v.value->>0",
    postgres: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL, message_id = v.value->>1
               FROM jsonb_array_elements($1::jsonb) AS v(value) WHERE position = (v.value->>0)::bigint",
};
const DELETE: Sql = Sql {
    sqlite: "DELETE FROM outbox WHERE position IN (SELECT value FROM json_each($1))",
    postgres: "DELETE FROM outbox
               WHERE position IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const COUNT: &str = "INSERT INTO repair (stream, events) VALUES ($1, $2)
    ON CONFLICT (stream) DO UPDATE SET events = repair.events + excluded.events";

#[derive(FromRow)]
struct Row {
    position: i64,
    message_id: String,
    people: String,
    stream: Option<String>,
}

/// Lets the relay publish sent events once more, and says how many. Those that name somebody who
/// is erased meanwhile go instead: their stream lacks them because of it.
pub(crate) async fn publish_again(
    database: &Database,
    stream: &str,
    positions: &[i64],
) -> Result<u64, DatabaseError> {
    if positions.is_empty() || fault::is("no-redrive") {
        return Ok(0);
    }
    let mut work = database.begin().await?;
    let (text, wanted) = (FIND.text(work.dialect()), json!(positions).to_string());
    let rows: Vec<Row> = sql!(work, c => sqlx::query_as(text).bind(&wanted).fetch_all(c).await)?;
    let (gone, lost) = divide(&mut work, rows).await?;
    if !gone.is_empty() {
        work.deletes_for_good();
        work.write_rows(DELETE, gone).await?;
    }
    let events = lost.len() as u64;
    if !lost.is_empty() {
        work.write_rows(UNSEND, lost).await?;
        count_repairs(&mut work, stream, events).await?;
    }
    work.commit().await?;
    if events > 0 {
        database.outbox_filled.notify_one();
    }
    Ok(events)
}

/// Counts what was repaired.
pub(crate) async fn count_repairs(
    work: &mut Work,
    stream: &str,
    events: u64,
) -> Result<(), DatabaseError> {
    let count = events.cast_signed();
    sql!(work, c => sqlx::query(COUNT).bind(stream).bind(count).execute(c).await.map(drop))?;
    let service = work.database().service();
    metrics::counter!("dipper_audit_repaired_total", "service" => service, "stream" => stream.to_owned())
        .increment(events);
    Ok(())
}

/// How often an event was published again.
pub(crate) fn times_published_again(message_id: &str) -> u32 {
    let number = message_id.split_once(AGAIN).map(|(_, number)| number);
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// An id that the broker does not know yet. It follows from the one before: two processes that do
/// the same thing publish one message.
fn next_id(message_id: &str) -> String {
    let first = message_id
        .split_once(AGAIN)
        .map_or(message_id, |(first, _)| first);
    format!("{first}{AGAIN}{}", times_published_again(message_id) + 1)
}

/// The rows that name erased people, and the others with their next message ids.
async fn divide(
    work: &mut Work,
    rows: Vec<Row>,
) -> Result<(Vec<Value>, Vec<Value>), DatabaseError> {
    let people: HashSet<Uuid> = rows
        .iter()
        .flat_map(|row| ids_in(row.people.as_bytes()))
        .collect();
    let people: Vec<Uuid> = people.into_iter().collect();
    let erased = work.erased_among(&people).await?;
    let (mut gone, mut lost) = (Vec::new(), Vec::new());
    for row in rows {
        let named = ids_in(row.people.as_bytes());
        // The request for an erasure names the person, and must reach everybody.
        let is_request = row.stream.as_deref() == Some(envelope::catalogue::GDPR.name);
        if !is_request && named.iter().any(|person| erased.contains(person)) {
            gone.push(json!(row.position));
        } else {
            lost.push(json!([row.position, next_id(&row.message_id)]));
        }
    }
    Ok((gone, lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_has_an_id_of_its_own() {
        let once = next_id("0190:v2");
        assert_eq!(once, "0190:v2:again-1");
        assert_eq!(next_id(&once), "0190:v2:again-2");
        assert_eq!(
            (
                times_published_again("0190:v2"),
                times_published_again(&next_id(&once))
            ),
            (0, 2)
        );
    }
}
