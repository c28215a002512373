//! The outbox and its relay: events are rows first, written with the change they tell of, and
//! published until the broker has acknowledged them.

mod again;
pub(crate) mod presence;
mod publishing;
mod redrive;

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::audit::digest;
use crate::bus::Bus;
use crate::bus::streams::streams_of;
use crate::clock::{Clock, micros};
use crate::database::{Database, DatabaseError, Session, Sql};
use crate::lifecycle::Lifecycle;
use crate::retention::{life_of, swept_after};
use crate::sql;
use crate::unit_of_work::source;
use envelope::{EventId, Outgoing};
use publishing::{Outcome, Sent, Unsent, publish};
use redrive::{Incarnations, Redrive};

pub(crate) use again::{count_repairs, publish_again, times_published_again};

/// How many rows the relay takes at once: a batch of them is within what servers take together.
const BATCH: i64 = 512;
/// A net for wake-ups that were missed, e.g. rows written by another process.
const POLL: Duration = Duration::from_secs(2);
/// Sent rows outlive the broker's sync interval many times: what a power failure takes from it is
/// still here. They stay longer while the audit has not found them with all their consumers.
pub(crate) const KEEP_SENT: Duration = Duration::from_mins(10);
const PRUNE_EVERY: Duration = Duration::from_mins(1);
/// A net for the news that the streams are compared.
const COMPARED_BY_THEN: Duration = Duration::from_millis(100);

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO outbox (position, event_id, subject, message_id, body, people, stream, bucket)
             SELECT value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6, value->>7
             FROM json_each($1)",
    postgres: "INSERT INTO outbox (position, event_id, subject, message_id, body, people, stream, bucket)
               SELECT (value->>0)::bigint, (value->>1)::uuid, value->>2, value->>3, value->>4, value->>5, value->>6, (value->>7)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value)",
};
const MARK_SENT: Sql = Sql {
    sqlite: "UPDATE outbox SET sent_at = $1, stream_sequence = v.value->>1, incarnation = v.value->>2
             FROM json_each($2) AS v WHERE position = v.value->>0",
    postgres: "UPDATE outbox SET sent_at = $1, stream_sequence = (v.value->>1)::bigint,
                   incarnation = (v.value->>2)::bigint
               FROM jsonb_array_elements($2::jsonb) AS v(value) WHERE position = (v.value->>0)::bigint",
};
const UNSENT: &str = "SELECT position, subject, message_id, body FROM outbox
    WHERE sent_at IS NULL ORDER BY position LIMIT $1";
/// What was not flushed when its consumers had it may still be lost, and have to be published or
/// answered again. Rows without a stream are not audited: they come from another instance, or were
/// written before there was an audit.
const PRUNE: &str = "DELETE FROM outbox WHERE sent_at < $1 AND (matched_at < $1 OR stream IS NULL)";
/// What its stream keeps for a time only is not kept longer here.
const PRUNE_EXPIRED: &str = "DELETE FROM outbox WHERE stream = $1 AND sent_at < $2";
const LAST: &str = "SELECT COALESCE(MAX(position), 0) FROM outbox";
const ERASE: &str = "DELETE FROM outbox WHERE people LIKE $1";
const SUPERSEDE: Sql = Sql {
    sqlite: "DELETE FROM outbox WHERE event_id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "DELETE FROM outbox
               WHERE event_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};

/// Whether what is sent is compared with what its consumers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audit {
    /// It is, until all of them have it.
    Compared,
    /// It is not: its source is another service, by whose name consumers keep what they have.
    None,
}

/// Writes events into the outbox of a transaction.
pub(crate) async fn insert(
    session: &mut Session,
    clock: &Clock,
    events: &[Outgoing],
    audit: Audit,
) -> Result<(), DatabaseError> {
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            let people: Vec<String> = event.people.iter().map(ToString::to_string).collect();
            (
                clock.next_position(),
                event.id.0.simple(),
                &event.subject,
                &event.message_id,
                &event.body,
                people.join(" "),
                (audit == Audit::Compared).then_some(event.stream),
                digest::bucket_of(event.time),
            )
        })
        .collect();
    session.write_rows(INSERT, rows).await
}

/// The last position that was ever given out here.
pub(crate) async fn last_position(session: &mut Session) -> Result<i64, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(LAST).fetch_one(c).await)?)
}

/// Deletes the events that name a person or an image, sent or not: nobody is to hear of them any
/// more. One that the relay is just publishing is deleted from its stream like any late event.
pub async fn erase(session: &mut Session, person: uuid::Uuid) -> Result<u64, DatabaseError> {
    let pattern = format!("%{person}%");
    let gone = sql!(session, c => sqlx::query(ERASE).bind(&pattern).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone)
}

/// Deletes events that a newer one takes the place of, sent or not: a stream that has lost them is not to have them again.
pub(crate) async fn supersede(
    session: &mut Session,
    events: &[EventId],
) -> Result<u64, DatabaseError> {
    let ids: Vec<_> = events.iter().map(|event| event.0.simple()).collect();
    let (text, list) = (SUPERSEDE.text(session.dialect()), json!(ids).to_string());
    Ok(sql!(session, c => sqlx::query(text).bind(&list)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Publishes what is in the outbox until the process stops, and again what a stream has lost.
pub async fn relay(database: Database, bus: Bus, lifecycle: Lifecycle) -> anyhow::Result<()> {
    let mut streams = look_after_streams(&database, &bus, &lifecycle);
    let mut delay = Duration::ZERO;
    let mut pruned: Option<Instant> = None;
    while !lifecycle.is_stopping() {
        let began = Instant::now();
        let progress = if !bus.is_connected() {
            Ok(Progress::Stuck(
                "there is no connection to the broker".to_owned(),
            ))
        } else if streams.are_checked(&bus) {
            publish_batch(&database, &bus, &streams.incarnations).await
        } else {
            Ok(Progress::NotYet)
        };
        match progress {
            Ok(Progress::NotYet) => delay = COMPARED_BY_THEN,
            Ok(Progress::Idle) => {
                delay = Duration::ZERO;
                tokio::select! {
                    () = database.outbox_filled.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = lifecycle.stopped() => {}
                }
            }
            Ok(Progress::Sent(events)) => {
                delay = Duration::ZERO;
                lifecycle.gather(events, began).await;
            }
            Ok(Progress::Stuck(why)) => delay = wait_longer(delay, &database, &why),
            Err(error) => delay = wait_longer(delay, &database, &error.to_string()),
        }
        if pruned.is_none_or(|pruned| pruned.elapsed() > PRUNE_EVERY) {
            pruned = Some(Instant::now());
            if let Err(error) = prune(&database, &bus).await {
                let (service, error) = (database.service(), format!("{error:#}"));
                tracing::warn!(service, error, "cannot prune the outbox");
            }
        }
        if !delay.is_zero() {
            tokio::select! {
                _ = lifecycle.pause(delay) => {}
                _ = streams.checked.changed() => {}
            }
        }
    }
    Ok(())
}

/// What is known of the streams.
struct Streams {
    incarnations: Incarnations,
    /// The connection on which they were compared with what was sent, once they were.
    checked: watch::Receiver<Option<u64>>,
}

impl Streams {
    /// A server that was away may have come back with less: what it has lost is published again
    /// before anything new, so that the events of a key stay in their order.
    fn are_checked(&mut self, bus: &Bus) -> bool {
        let checked = *self.checked.borrow_and_update();
        checked.is_some_and(|connection| connection >= *bus.connections().borrow())
    }
}

/// Begins to look for what the streams lose.
fn look_after_streams(database: &Database, bus: &Bus, lifecycle: &Lifecycle) -> Streams {
    let incarnations = Incarnations::default();
    let redrive = Redrive::new(database.clone(), bus.clone(), incarnations.clone());
    let (tell, checked) = watch::channel(None);
    let name = format!("{} re-drive", database.service());
    lifecycle.spawn(name, redrive.run(lifecycle.clone(), tell));
    Streams {
        incarnations,
        checked,
    }
}

enum Progress {
    /// The streams are being compared with what was sent.
    NotYet,
    Idle,
    Sent(usize),
    Stuck(String),
}

fn wait_longer(delay: Duration, database: &Database, why: &str) -> Duration {
    let next = (delay * 2).clamp(Duration::from_millis(100), Duration::from_secs(5));
    tracing::warn!(service = database.service(), why, retry_in = ?next, "events wait in the outbox");
    next
}

async fn publish_batch(
    database: &Database,
    bus: &Bus,
    incarnations: &Incarnations,
) -> Result<Progress, DatabaseError> {
    let mut session = database.read().await?;
    let rows: Vec<Unsent> =
        sql!(session, c => sqlx::query_as(UNSENT).bind(BATCH).fetch_all(c).await)?;
    drop(session);
    metrics::gauge!("dipper_outbox_batch", "service" => database.service())
        .set(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    if rows.is_empty() {
        return Ok(Progress::Idle);
    }
    let Outcome { sent, stuck } = publish(bus, rows, incarnations).await;
    if !sent.is_empty() {
        metrics::counter!("dipper_events_published_total", "service" => database.service())
            .increment(sent.len() as u64);
        mark_sent(database, &sent).await?;
    }
    Ok(stuck.map_or(Progress::Sent(sent.len()), Progress::Stuck))
}

async fn mark_sent(database: &Database, sent: &[Sent]) -> Result<(), DatabaseError> {
    let rows = json!(sent).to_string();
    let now = database.clock.micros();
    let mut work = database.begin_note().await?;
    let text = MARK_SENT.text(work.dialect());
    sql!(work, c => sqlx::query(text).bind(now).bind(&rows).execute(c).await.map(drop))?;
    work.commit().await
}

async fn prune(database: &Database, bus: &Bus) -> anyhow::Result<()> {
    let now = database.clock.micros();
    let mut work = database.begin().await?;
    sql!(work, c => sqlx::query(PRUNE).bind(now - micros(KEEP_SENT)).execute(c).await.map(drop))?;
    digest::prune(&mut work).await?;
    work.commit().await?;
    if !bus.is_connected() {
        return Ok(());
    }
    for stream in streams_of(&source(database.service())) {
        if let Some(life) = life_of(bus, stream.name).await? {
            prune_expired(database, stream.name, now - micros(swept_after(life))).await?;
        }
    }
    Ok(())
}

async fn prune_expired(
    database: &Database,
    stream: &str,
    before: i64,
) -> Result<(), DatabaseError> {
    let mut work = database.begin().await?;
    let gone = sql!(work, c => sqlx::query(PRUNE_EXPIRED).bind(stream).bind(before).execute(c).await.map(|done| done.rows_affected()))?;
    if gone > 0 {
        work.deletes_for_good();
    }
    work.commit().await
}
