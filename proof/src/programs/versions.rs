//! Ratings are published in two versions at once; whoever reads either gets each of them once.

use std::collections::HashSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use testkit::wire::Stored;
use tokio::time::Instant;
use uuid::Uuid;

use super::Setting;
use crate::checker::compare;
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, drain, rated};
use crate::report::Outcome;
use crate::world::{Plan, World};

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut plan = Plan::apart("tick-api");
    let readers = ("DIPPER_OLD_READERS".to_owned(), "rate.update@1".to_owned());
    plan.environment.push(readers);
    let mut world = World::start(&setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 2,
        pictures: size.pick(3, 8, 40),
        raters: size.pick(10, 25, 100),
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let kills = size.pick(2, 12, 100);
    let amount = Amount {
        ticks: 4,
        ratings: size.pick(50, 400, 8_000),
        within: Duration::from_millis(1_500) * kills,
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    kill_while_publishing(&mut world, kills, setting.seed).await;
    let logs = load.finish().await;
    let mut outcome = Outcome::default();
    let drained = drain(&world, Duration::from_mins(1)).await?;
    outcome.demand(drained.is_some(), || "not drained within 60 s".to_owned());
    outcome.did(format!(
        "{} ratings, TickAPI killed {kills} times",
        logs.ratings.count()
    ));

    let (ratings, _) = logs.ratings.read();
    let stored = world.wire().await.read("RATE").await;
    let mut ids = Vec::new();
    for (reader, version) in [("reader of v1", "v1"), ("reader of v2", "v2")] {
        let seen = once(&stored, version);
        let named = seen.iter().filter_map(rated).map(|(_, rating)| rating);
        outcome.compared(reader, compare(&ratings, named));
        ids.push(
            seen.iter()
                .filter_map(Stored::id)
                .collect::<HashSet<Uuid>>(),
        );
    }
    let halves = ids[0].symmetric_difference(&ids[1]).count();
    outcome.demand(halves == 0, || {
        format!("{halves} ratings are there in one version only")
    });
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// What a reader of one version gets: a message that was published twice is one.
fn once(stored: &[Stored], version: &str) -> Vec<Stored> {
    let mut seen = HashSet::new();
    let of_version = |one: &&Stored| one.subject.split('.').nth(2) == Some(version);
    let all = stored.iter().filter(of_version);
    all.filter(|one| one.id().is_none_or(|id| seen.insert(id)))
        .cloned()
        .collect()
}

async fn kill_while_publishing(world: &mut World, kills: u32, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    for number in 0..kills {
        let within: u64 = random.random_range(0..1_000);
        let moment = Duration::from_millis(1_500) * number + Duration::from_millis(within);
        tokio::time::sleep_until(began + moment).await;
        world.kill("tick-api").await;
        world.begin("tick-api").await;
    }
}
