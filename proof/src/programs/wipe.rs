//! The broker comes back with an empty store, while people go on: everything is published again.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load, Logs};
use crate::places::{compare_all, distinct, drain, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

/// All must be there again so long after the broker is back.
const WITHIN: Duration = Duration::from_mins(1);
/// Messages that a foreign producer sent twice; nobody sends them again after the loss.
const COPIES: usize = 60;

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut world = World::start(&setting, &Plan::together()).await?;
    let crowd = CrowdSize {
        owners: 4,
        pictures: 1,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let amount = Amount {
        ticks: size.pick(150, 1_500, 30_000),
        ratings: 40,
        within: Duration::from_secs(size.pick(2, 5, 60)),
    };
    let patience = Duration::from_secs(size.pick(15, 60, 60));
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let logs = load.finish().await;
    let mut outcome = Outcome::default();
    drain(&world, patience).await?;
    send_copies(&world).await;
    drain(&world, patience).await?;
    let stored = world.wire().await.count("TICK").await;
    caught_up(&world, stored).await?;
    world.broker.kill().await;
    std::fs::remove_dir_all(world.broker.store())?;
    world.broker.begin().await;
    let back = Instant::now();
    let more = Amount {
        ticks: size.pick(150, 500, 5_000),
        ratings: 0,
        ..amount
    };
    let load = Load::start(&world.api, &crowd, more, setting.seed.wrapping_add(1));
    let later = load.finish().await;
    let logs = both(&logs, &later);
    let took = all_stored(&world, logs.ticks.count(), (back, patience)).await;
    drain(&world, patience).await?;
    outcome.did(format!("raw JetStream lost {stored} of {stored} ticks"));
    match took {
        Some(took) => outcome.did(format!("all published again after {}", seconds(took))),
        None => outcome.problems.push(format!(
            "not all published again within {}",
            seconds(WITHIN)
        )),
    }
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Events that come once more under another message id: checkpoints go beyond what outboxes hold.
async fn send_copies(world: &World) {
    let wire = world.wire().await;
    let events = wire.read("TICK").await.into_iter().take(COPIES);
    join_all(events.map(|event| {
        let wire = wire.clone();
        async move {
            let id = Uuid::new_v4().to_string();
            let body = event.body.to_string();
            wire.publish(&event.subject, Some(&id), body.as_bytes())
                .await
        }
    }))
    .await;
}

/// Statistics has taken all of a stream.
async fn caught_up(world: &World, many: u64) -> anyhow::Result<()> {
    let taken = "SELECT COALESCE(max(checkpoint), 0) FROM progress WHERE stream = 'TICK'";
    until("the copies are handled", WITHIN, async || {
        let mut tables = world.tables("statistics").await.ok()?;
        (tables.number(taken).await.ok()?.unsigned_abs() >= many).then_some(())
    })
    .await?;
    Ok(())
}

/// How long it took until the streams held everything again.
async fn all_stored(
    world: &World,
    ticks: usize,
    (back, patience): (Instant, Duration),
) -> Option<Duration> {
    let wire = world.wire().await;
    let complete = until("everything is there again", patience, async || {
        let there = distinct(wire.read("TICK").await).len();
        (there >= ticks).then_some(())
    });
    complete.await.ok().map(|_| back.elapsed())
}

/// The logs of two loads as one.
pub fn both(first: &Logs, second: &Logs) -> Logs {
    for (into, from) in [
        (&first.ticks, &second.ticks),
        (&first.ratings, &second.ratings),
    ] {
        into.extend(from);
    }
    first.clone()
}
