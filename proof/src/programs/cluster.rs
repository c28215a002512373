//! Three servers keep each stream; the one that leads is killed again and again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, drain, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

const SERVERS: usize = 3;
const EVERY: Duration = Duration::from_secs(5);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut plan = Plan::together();
    plan.servers = SERVERS;
    let replicas = ("DIPPER_NATS_REPLICAS".to_owned(), SERVERS.to_string());
    plan.environment.push(replicas);
    let mut world = World::start(&setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 4,
        pictures: 2,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let kills = size.pick(1, 3, 10);
    let amount = Amount {
        ticks: size.pick(100, 500, 20_000),
        ratings: 40,
        within: EVERY * (kills + 1),
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let began = Instant::now();
    for number in 1..=kills {
        tokio::time::sleep_until(began + EVERY * number).await;
        kill_leader(&mut world).await?;
    }
    let logs = load.finish().await;
    let drained = drain(&world, Duration::from_mins(1)).await?;
    let mut outcome = Outcome::default();
    outcome.did(format!(
        "{} ticks, the leader of TICK killed {kills} times",
        logs.ticks.count()
    ));
    match drained {
        Some(took) => outcome.did(format!("drained in {}", seconds(took))),
        None => outcome.problems.push("not drained within 60 s".to_owned()),
    }
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Kills the server that leads the stream of ticks, and starts it again.
async fn kill_leader(world: &mut World) -> anyhow::Result<()> {
    let told = world.broker.monitoring();
    until("somebody leads TICK", Duration::from_secs(20), async || {
        leader(&told).await.ok()?.map(drop)
    })
    .await?;
    let leader = leader(&told).await?.unwrap_or_default();
    let mut servers = world.others.iter_mut().chain([&mut world.broker]);
    if let Some(server) = servers.nth(leader) {
        server.kill().await;
        server.begin().await;
    }
    Ok(())
}

/// Servers are named by their numbers.
async fn leader(monitoring: &str) -> anyhow::Result<Option<usize>> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let address = format!("{monitoring}/jsz?accounts=true&streams=true");
    let told: Value = client.get(address).send().await?.json().await?;
    let streams = told["account_details"][0]["stream_detail"].as_array();
    let of_ticks = streams.and_then(|all| all.iter().find(|stream| stream["name"] == "TICK"));
    let name = of_ticks.and_then(|stream| stream["cluster"]["leader"].as_str());
    Ok(name.and_then(|name| name.rsplit('-').next()?.parse().ok()))
}
