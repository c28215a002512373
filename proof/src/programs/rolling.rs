//! Two processes of every service behind a proxy, each stopped and started in turn under load: what a rolling restart does.

use std::time::Duration;

use testkit::Postgres;
use testkit::broker::SERVICES;

use super::{Setting, seconds};
use crate::load::{Crowd, CrowdSize};
use crate::pairs::{Pairs, Traffic};
use crate::places::{compare_all, drain};
use crate::report::Outcome;
use crate::world::Plan;

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let postgres = Postgres::start().await;
    let mut plan = Plan::each_alone();
    plan.database_url = Some(postgres.url());
    let mut pairs = Pairs::start(&setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 10,
        pictures: 3,
        raters: size.pick(10, 40, 100),
    };
    let crowd = Crowd::gather(&pairs.api, crowd).await;

    let traffic = Traffic::start(&pairs.api, &crowd, setting.seed);
    let rounds = size.pick(1, 1, 10);
    let mut slowest = Duration::ZERO;
    for service in SERVICES.into_iter().cycle().take(rounds * SERVICES.len()) {
        let first = pairs.restart_first(service, &setting.binary).await;
        let second = pairs.restart_second(service, &setting.binary).await;
        slowest = slowest.max(first).max(second);
    }
    let seen = traffic.finish().await;

    let mut outcome = Outcome::default();
    outcome.did(format!(
        "{} requests, {:.0} a second; {} restarts, the slowest {}",
        seen.answered,
        seen.rate,
        rounds * 2 * SERVICES.len(),
        seconds(slowest)
    ));
    let failed = seen.failed;
    outcome.demand(failed == 0, || format!("{failed} requests failed"));
    outcome.problems.extend(seen.complaints);
    let drained = drain(&pairs.world, Duration::from_mins(1)).await?;
    outcome.demand(drained.is_some(), || "not drained within 60 s".to_owned());
    compare_all(&pairs.world, &crowd, &seen.logs, &mut outcome).await?;
    pairs.stop_all().await;
    Ok(outcome)
}
