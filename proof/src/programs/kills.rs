//! kill -9 of every process and of the broker at random moments, while people tick and rate.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, drain};
use crate::report::Outcome;
use crate::world::{Plan, World};

/// All must have reached everybody so long after the last kill.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);
/// How often the clients' log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What is killed besides the processes of the services.
const BROKER: &str = "nats-server";

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let kills_each = size.pick(2, 2, 10);
    let amount = Amount {
        ticks: size.pick(900, 3_000, 100_000),
        ratings: size.pick(60, 600, 20_000),
        within: Duration::from_secs(size.pick(8, 25, 400)),
    };
    let crowd = CrowdSize {
        owners: size.pick(2, 10, 20),
        pictures: size.pick(2, 2, 5),
        raters: size.pick(15, 30, 200),
    };
    // A small set has no time for seven starts after each kill.
    let plan = size.pick(Plan::together(), Plan::each_alone(), Plan::each_alone());
    let mut world = World::start(&setting, &plan).await?;
    let crowd = Crowd::gather(&world.api, crowd).await;
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let mut outcome = Outcome::default();
    let kills = kill_at_random(&mut world, &load, (kills_each, amount.ticks), setting.seed).await;
    let last_kill = Instant::now();
    let logs = load.finish().await;
    let (ticks, ratings) = (logs.ticks.count(), logs.ratings.count());
    outcome.did(format!(
        "{ticks} ticks and {ratings} ratings, {kills} kills"
    ));
    let drained = drain(&world, Duration::from_secs(size.pick(15, 90, 300))).await?;
    let after = last_kill.elapsed();
    outcome.did(format!("drained {} after the last", seconds(after)));
    outcome.demand(drained.is_some() && after < DRAINED_WITHIN, || {
        format!(
            "not drained within {} of the last kill",
            seconds(DRAINED_WITHIN)
        )
    });
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Each process and the broker so many times, in any order, spread over the load: however long the
/// clients need, the last kill is near their end.
async fn kill_at_random(
    world: &mut World,
    load: &Load,
    (each, ticks): (usize, usize),
    seed: u64,
) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut victims = Vec::new();
    for _ in 0..each {
        victims.extend(world.names());
        victims.push(BROKER);
    }
    victims.shuffle(&mut random);
    let slot = ticks / victims.len();
    for (number, victim) in victims.iter().enumerate() {
        let moment = slot * number + random.random_range(0..slot.max(1));
        while load.logs.ticks.count() < moment {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if *victim == BROKER {
            // With TickAPI right after it: what only waits in a connection's buffer is gone.
            world.broker.kill().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            world.kill("tick-api").await;
            world.broker.begin().await;
            world.begin("tick-api").await;
        } else {
            world.kill(victim).await;
            world.begin(victim).await;
        }
    }
    victims.len()
}
