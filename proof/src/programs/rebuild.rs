//! A projection that is built anew from the streams while people go on and others look at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use testkit::{Api, Launch};
use tokio::task::JoinHandle;

use super::Setting;
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, drain};
use crate::report::Outcome;
use crate::world::{Plan, World};

const DRAINED_WITHIN: Duration = Duration::from_secs(30);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut outcome = Outcome::default();
    let mut world = World::start(&setting, &Plan::some_apart(&["statistics"])).await?;
    let crowd = CrowdSize {
        owners: 4,
        pictures: 2,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let amount = Amount {
        ticks: size.pick(100, 1_000, 20_000),
        ratings: size.pick(20, 80, 80),
        within: Duration::from_secs(size.pick(5, 20, 200)),
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let onlooker = Onlooker::start(&world.api);
    for number in 1..=size.pick(1, 2, 10) {
        tokio::time::sleep(amount.within / 20).await;
        let said = rebuild(&setting, &world).await?;
        outcome.did(format!("rebuild {number}: {said}"));
    }
    let logs = load.finish().await;
    let drained = drain(&world, DRAINED_WITHIN).await?;
    outcome.demand(drained.is_some(), || "not drained in time".to_owned());
    onlooker.end(&mut outcome).await?;
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Builds Statistics anew; says what the command line said last.
pub(super) async fn rebuild(setting: &Setting, world: &World) -> anyhow::Result<String> {
    let folder = world.folder().to_string_lossy();
    let arguments = ["rebuild", "statistics", "--data-dir", &*folder];
    let output = Launch::new(&setting.binary.to_string_lossy(), &arguments)
        .output()
        .await;
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "it failed: {}", why.trim());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(said.lines().last().unwrap_or_default().trim().to_owned())
}

/// Somebody who looks at the figures all the time.
struct Onlooker {
    enough: Arc<AtomicBool>,
    looking: JoinHandle<(usize, Vec<String>)>,
}

impl Onlooker {
    fn start(api: &Api) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let looking = tokio::spawn(look(api.clone(), Arc::clone(&enough)));
        Self { enough, looking }
    }

    /// Notes how often they looked, and what they should not have seen.
    async fn end(self, outcome: &mut Outcome) -> anyhow::Result<()> {
        self.enough.store(true, Ordering::Relaxed);
        let (looks, strange) = self.looking.await.context("the onlooker died")?;
        outcome.did(format!("{looks} looks at the figures meanwhile"));
        outcome.problems.extend(strange);
        Ok(())
    }
}

/// Nothing is taken back here, so ticks and ratings never become fewer.
async fn look(api: Api, enough: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut looks, mut strange) = (0, Vec::new());
    let mut before = (0, 0);
    while !enough.load(Ordering::Relaxed) {
        let answer = api.get("/api/v1/statistics/overview").await;
        looks += 1;
        if answer.status.as_u16() != 200 {
            strange.push(format!("a look was answered with {}", answer.status));
            continue;
        }
        let figure = |name: &str| answer.json[name].as_u64().unwrap_or_default();
        let now = (figure("ticks"), figure("ratings"));
        if now.0 < before.0 || now.1 < before.1 {
            strange.push(format!("figures fell from {before:?} to {now:?}"));
        }
        before = now;
    }
    (looks, strange)
}
