//! The power fails under load: what was not flushed is gone from the broker, the databases, or both.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Setting, seconds};
use crate::disk::Disk;
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, distinct, drain, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

const WITHIN: Duration = Duration::from_mins(1);
const DISK: &str = "512M";

/// What loses its power, and how often the broker flushes.
const CUTS: [Cut; 4] = [
    Cut {
        name: "broker",
        broker: true,
        databases: false,
        sync: "100ms",
    },
    Cut {
        name: "broker, lazy sync",
        broker: true,
        databases: false,
        sync: "2m",
    },
    Cut {
        name: "databases",
        broker: false,
        databases: true,
        sync: "100ms",
    },
    Cut {
        name: "both",
        broker: true,
        databases: true,
        sync: "100ms",
    },
];

#[derive(Clone, Copy, Debug)]
struct Cut {
    name: &'static str,
    broker: bool,
    databases: bool,
    sync: &'static str,
}

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    if let Err(why) = Disk::new(DISK).await {
        return Ok(Outcome::not_possible(format!("{why:#}")));
    }
    let mut outcome = Outcome::default();
    for cut in CUTS {
        let mut found = Outcome::default();
        one(&setting, cut, &mut found).await?;
        outcome.add(cut.name, found);
    }
    Ok(outcome)
}

async fn one(setting: &Setting, cut: Cut, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut disk = Disk::new(DISK).await?;
    let mut plan = Plan::together();
    plan.sync_interval = cut.sync.to_owned();
    plan.store = cut.broker.then(|| disk.path().join("nats"));
    plan.databases = cut.databases.then(|| disk.path().join("db"));
    let mut world = World::start(setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 3,
        pictures: 2,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    // nats-server does not flush the files that describe a new stream, and does not get healthy
    // when the power fails before the kernel did: here streams are older than that.
    disk.flush().await?;
    let amount = Amount {
        ticks: setting.size.pick(300, 900, 20_000),
        ratings: 60,
        within: Duration::from_secs(setting.size.pick(4, 8, 120)),
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let mut random = StdRng::seed_from_u64(setting.seed);
    tokio::time::sleep(amount.within.mul_f64(random.random_range(0.5..0.9))).await;
    // Nobody can answer a client any more when the power fails. What is being flushed at that very
    // moment would otherwise seem to be flushed: the file system's shutdown says so to some.
    world.freeze_all().await;
    disk.cut_power().await?;
    world.kill_all().await;
    world.broker.kill().await;
    disk.unmount().await?;
    disk.mount().await?;
    world.broker.begin().await;
    let acked = acknowledged(&world).await?;
    let left = distinct(world.wire().await.read("TICK").await);
    let lost = acked.len().saturating_sub(left.len());
    outcome.did(format!("raw JetStream lost {lost} of {}", acked.len()));
    world.begin_all().await;
    let back = Instant::now();
    let logs = load.finish().await;
    let drained = drain(&world, WITHIN).await?;
    scores_are_back(&world).await?;
    // The last clients may end later than the re-drive.
    outcome.did(format!("whole again after {}", seconds(back.elapsed())));
    outcome.demand(drained.is_some(), || {
        format!("not whole again within {}", seconds(WITHIN))
    });
    compare_all(&world, &crowd, &logs, outcome).await?;
    world.kill_all().await;
    world.broker.kill().await;
    disk.unmount().await
}

/// Waits until every tick's score is in its stream: the broker may have lost some that others had
/// handled.
async fn scores_are_back(world: &World) -> anyhow::Result<()> {
    let wire = world.wire().await;
    until("every tick's score is in its stream", WITHIN, async || {
        let mut tick_api = world.tables("tick-api").await.ok()?;
        let ticks = tick_api.number("SELECT count(*) FROM tick").await.ok()?;
        let scores = distinct(wire.read("SCORE").await).len();
        (i64::try_from(scores).ok()? >= ticks).then_some(())
    })
    .await?;
    Ok(())
}

/// Ticks that the broker had acknowledged, as far as TickAPI knows.
async fn acknowledged(world: &World) -> anyhow::Result<Vec<Uuid>> {
    let sent = "SELECT DISTINCT event_id FROM outbox WHERE sent_at IS NOT NULL AND subject LIKE 'tick.new.%'";
    world.tables("tick-api").await?.ids(sent).await
}
