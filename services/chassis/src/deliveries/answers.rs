//! How a service answers about its deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use tokio::time::Instant;

use super::latency::{self, HowFast, Latency};
use super::{
    Counts, HowMany, Inspect, Inspected, Known, Parked, Place, Replay, Replayed, Skip, WhatOf,
    Which, store,
};
use crate::bus::Bus;
use crate::consumers::offered::{self, Offered};
use crate::consumers::parking::headers_from_text;
use crate::database::{Database, DatabaseError};
use crate::rpc::{Answers, BoundAnswers, Refusal};

/// An answer comes within less than the asker's patience.
const WATCH_FOR: Duration = Duration::from_millis(1500);
const WATCH_EVERY: Duration = Duration::from_millis(25);
const MOST_ROWS: i64 = 500;

#[derive(Clone)]
struct App(Arc<(Database, Bus)>);

/// The answers of a service with a database.
pub fn answers(database: &Database, bus: &Bus) -> BoundAnswers {
    let service = database.service();
    Answers::new()
        .on_common(service, how_many)
        .on_common(service, how_fast)
        .on_common(service, which)
        .on_common(service, inspect)
        .on_common(service, what_of)
        .on_common(service, replay)
        .on_common(service, skip)
        .with_state(App(Arc::new((database.clone(), bus.clone()))))
}

async fn how_many(app: App, _: HowMany) -> Result<Vec<Counts>, Refusal> {
    let (database, bus) = &*app.0;
    let service = database.service();
    let mut session = database.read().await?;
    let lines = store::lines(&mut session, service).await?;
    drop(session);
    let now = database.clock.micros();
    let mut streams: BTreeMap<String, Counts> = BTreeMap::new();
    for line in lines {
        let counts = streams
            .entry(line.stream.clone())
            .or_insert_with(|| none_of(&line.stream));
        match line.status.as_str() {
            "UNPROCESSED" => counts.unprocessed += line.events,
            "ERROR" => counts.error += line.events,
            "RETRY" => counts.retry += line.events,
            "FAILED" => counts.failed += line.events,
            _ => counts.completed += line.events,
        }
        let age = line.oldest_at.map(|at| (now - at).max(0) / 1_000_000);
        counts.oldest_seconds = counts.oldest_seconds.max(age);
    }
    for counts in streams.values_mut() {
        add_what_the_broker_holds(counts, service, bus).await;
    }
    Ok(streams.into_values().collect())
}

pub(super) fn none_of(stream: &str) -> Counts {
    Counts {
        stream: stream.to_owned(),
        unprocessed: 0,
        in_progress: 0,
        completed: 0,
        error: 0,
        retry: 0,
        failed: 0,
        oldest_seconds: None,
    }
}

/// Adds what waits at the broker and what is being handled. Answers how many events were taken.
pub(super) async fn add_what_the_broker_holds(
    counts: &mut Counts,
    service: &str,
    bus: &Bus,
) -> i64 {
    let jetstream = bus.jetstream();
    let consumer = jetstream
        .get_consumer_from_stream::<pull::Config, _, _>(service, &counts.stream)
        .await;
    let Ok(consumer) = consumer else {
        return 0;
    };
    let info = consumer.cached_info();
    counts.unprocessed += info.num_pending.cast_signed();
    counts.in_progress += i64::try_from(info.num_ack_pending).unwrap_or(i64::MAX);
    info.ack_floor.consumer_sequence.cast_signed()
}

async fn which(app: App, question: Which) -> Result<Vec<Parked>, Refusal> {
    let (database, _) = &*app.0;
    let first = Place {
        stream: String::new(),
        incarnation: 0,
        sequence: 0,
    };
    let after = question.after.unwrap_or(first);
    let limit = question.limit.clamp(1, MOST_ROWS);
    let mut session = database.read().await?;
    let service = database.service();
    Ok(store::parked(&mut session, service, question.status, &after, limit).await?)
}

async fn how_fast(app: App, _: HowFast) -> Result<Latency, Refusal> {
    let (database, _) = &*app.0;
    Ok(latency::of(database.service()))
}

async fn inspect(app: App, question: Inspect) -> Result<Option<Inspected>, Refusal> {
    let (database, _) = &*app.0;
    let mut session = database.read().await?;
    Ok(store::inspect(&mut session, database.service(), &question.place).await?)
}

async fn what_of(app: App, question: WhatOf) -> Result<Known, Refusal> {
    let (database, _) = &*app.0;
    let mut session = database.read().await?;
    Ok(store::known(&mut session, database.service(), question.event).await?)
}

async fn replay(app: App, question: Replay) -> Result<Replayed, Refusal> {
    let (database, _) = &*app.0;
    let place = question.place;
    match try_again(database, &place).await? {
        Some(settled) => Ok(settled),
        None => Ok(watch(database, &place).await?),
    }
}

/// Lets the event be tried, unless it is known already what comes of it.
async fn try_again(database: &Database, place: &Place) -> Result<Option<Replayed>, DatabaseError> {
    let service = database.service();
    let mut work = database.begin().await?;
    let Some(state) = store::state(&mut work, service, place).await? else {
        return Ok(Some(Replayed::Completed));
    };
    if state.status != "failed" {
        return Ok(None);
    }
    let offered = Offered::new(
        offered::Place {
            incarnation: place.incarnation,
            sequence: place.sequence.unsigned_abs(),
        },
        state.subject,
        headers_from_text(&state.headers),
        state.body.into(),
    );
    if let Err(unreadable) = &offered.decoded {
        return Ok(Some(Replayed::Failed {
            reason: unreadable.reason.to_owned(),
            detail: unreadable.detail.clone(),
        }));
    }
    store::retry(&mut work, service, place, &offered).await?;
    work.commit().await?;
    database.look_at_parked();
    Ok(None)
}

/// Watches until the event is gone or has failed again; another process may be at it.
async fn watch(database: &Database, place: &Place) -> Result<Replayed, DatabaseError> {
    let deadline = Instant::now() + WATCH_FOR;
    while Instant::now() < deadline {
        let mut session = database.read().await?;
        let state = store::state(&mut session, database.service(), place).await?;
        drop(session);
        match state {
            None => return Ok(Replayed::Completed),
            Some(state) if state.status == "failed" => {
                return Ok(Replayed::Failed {
                    reason: state.reason,
                    detail: state.detail,
                });
            }
            Some(_) => tokio::time::sleep(WATCH_EVERY).await,
        }
    }
    Ok(Replayed::UnderWay)
}

async fn skip(app: App, question: Skip) -> Result<bool, Refusal> {
    let (database, _) = &*app.0;
    let service = database.service();
    let mut work = database.begin().await?;
    let skipped = store::skip(&mut work, service, &question.place).await?;
    work.commit().await?;
    if skipped {
        database.look_at_parked();
    }
    Ok(skipped)
}
