//! Processes of the version before (N-1) and of this one (N) at the same databases and broker: an upgrade under load, one
//! process of each service after the other, and half of the way back, when the tables are N's.

use std::time::Duration;

use testkit::Postgres;

use super::Setting;
use crate::load::{Crowd, CrowdSize};
use crate::pairs::{Pairs, Traffic};
use crate::places::{compare_all, drain};
use crate::report::Outcome;
use crate::world::Plan;

/// As docs/operations.md has it.
const ORDER: [&str; 7] = [
    "user-api",
    "auth-api",
    "tick-api",
    "statistics",
    "notifier",
    "score-model",
    "admin-api",
];
/// So long both versions are left at work side by side, each time.
const SIDE_BY_SIDE: Duration = Duration::from_secs(3);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let Some(before) = setting.before.clone() else {
        return Ok(Outcome::not_possible(
            "needs a dipper of the version before: --before PATH",
        ));
    };
    let now = setting.binary.clone();
    let setting = Setting {
        binary: before.clone(),
        ..setting
    };
    let postgres = Postgres::start().await;
    let mut plan = Plan::each_alone();
    plan.database_url = Some(postgres.url());
    let mut pairs = Pairs::start(&setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 10,
        pictures: 3,
        raters: setting.size.pick(10, 40, 100),
    };
    let crowd = Crowd::gather(&pairs.api, crowd).await;

    let traffic = Traffic::start(&pairs.api, &crowd, setting.seed);
    for service in ORDER {
        pairs.restart_first(service, &now).await;
    }
    tokio::time::sleep(SIDE_BY_SIDE).await;
    for service in ORDER {
        pairs.restart_second(service, &now).await;
    }
    for service in ORDER.into_iter().rev() {
        pairs.restart_first(service, &before).await;
    }
    tokio::time::sleep(SIDE_BY_SIDE).await;
    let seen = traffic.finish().await;

    let mut outcome = Outcome::default();
    outcome.did(format!(
        "{} requests, {} failed; {} upgrades, {} back",
        seen.answered,
        seen.failed,
        2 * ORDER.len(),
        ORDER.len()
    ));
    let drained = drain(&pairs.world, Duration::from_mins(1)).await?;
    outcome.demand(drained.is_some(), || "not drained within 60 s".to_owned());
    let misread = pairs.world.wire().await.read("DEAD").await.len();
    outcome.demand(misread == 0, || format!("{misread} events were misread"));
    compare_all(&pairs.world, &crowd, &seen.logs, &mut outcome).await?;
    pairs.stop_all().await;
    Ok(outcome)
}
