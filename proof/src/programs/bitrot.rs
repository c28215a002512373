//! Damage in the files of the broker's store, before consumers have read what is in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use testkit::wire::Stored;
use tokio::time::Instant;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load, Logs};
use crate::places::{compare_all, distinct, until, waiting};
use crate::report::Outcome;
use crate::world::{Plan, World};

const WITHIN: Duration = Duration::from_mins(1);
/// They have not read yet what is damaged.
const BEHIND: [&str; 2] = ["statistics", "notifier"];

#[derive(Clone, Copy, Debug)]
enum Damage {
    FlippedBit,
    TruncatedBlock,
    DeletedBlock,
}

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    for damage in [
        Damage::FlippedBit,
        Damage::TruncatedBlock,
        Damage::DeletedBlock,
    ] {
        one(&setting, damage, &mut outcome).await?;
    }
    Ok(outcome)
}

async fn one(setting: &Setting, damage: Damage, outcome: &mut Outcome) -> anyhow::Result<()> {
    let size = setting.size;
    let mut world = World::start(setting, &Plan::some_apart(&BEHIND)).await?;
    let crowd = CrowdSize {
        owners: 2,
        pictures: 2,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    for name in BEHIND {
        world.kill(name).await;
    }
    let amount = Amount {
        ticks: size.pick(100, 400, 20_000),
        ratings: 40,
        within: Duration::from_secs(size.pick(1, 2, 30)),
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let logs = load.finish().await;
    all_sent(&world, &logs).await?;
    world.broker.stop().await;
    damage.to(&block_of(world.broker.store(), "TICK")?)?;
    world.broker.begin().await;
    let begun = Instant::now();
    let left = distinct(world.wire().await.read("TICK").await);
    let mut lost = logs.ticks.read().0.accepted;
    for id in left.iter().filter_map(Stored::id) {
        lost.remove(&id);
    }
    logs.ticks.come_back(&lost);
    let (ticks, lost) = (logs.ticks.count(), lost.len());
    world.begin_all().await;
    let all_there = until("all is there again", WITHIN, async || {
        let complete = distinct(world.wire().await.read("TICK").await).len() >= ticks;
        (complete && waiting(&world).await.ok()? == 0).then_some(())
    });
    let all_there = all_there.await.map(|_| begun.elapsed());
    let repaired = all_there
        .as_ref()
        .map_or("not repaired".to_owned(), |took| {
            format!("repaired after {}", seconds(*took))
        });
    outcome.did(format!(
        "{damage:?}: raw JetStream lost {lost} of {ticks}, {repaired}"
    ));
    let mut found = Outcome::default();
    compare_all(&world, &crowd, &logs, &mut found).await?;
    outcome.add(&format!("{damage:?}"), found);
    world.stop_all().await;
    Ok(())
}

async fn all_sent(world: &World, logs: &Logs) -> anyhow::Result<()> {
    let wanted = u64::try_from(logs.ticks.count())?;
    until("the stream has everything", WITHIN, async || {
        (world.wire().await.count("TICK").await >= wanted).then_some(())
    })
    .await?;
    Ok(())
}

impl Damage {
    fn to(self, block: &Path) -> anyhow::Result<()> {
        let mut bytes = std::fs::read(block)?;
        let middle = bytes.len() / 2;
        match self {
            Self::FlippedBit => {
                let byte = bytes.get_mut(middle).context("an empty block")?;
                *byte ^= 0b0001_0000;
            }
            Self::TruncatedBlock => bytes.truncate(middle),
            Self::DeletedBlock => return Ok(std::fs::remove_file(block)?),
        }
        Ok(std::fs::write(block, bytes)?)
    }
}

/// The first block file of a stream.
fn block_of(store: &Path, stream: &str) -> anyhow::Result<PathBuf> {
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let of_stream = path
                .to_string_lossy()
                .contains(&format!("/streams/{stream}/msgs"));
            if path.is_dir() {
                folders.push(path);
            } else if of_stream && path.extension().is_some_and(|ending| ending == "blk") {
                return Ok(path);
            }
        }
    }
    anyhow::bail!("{stream} has no block file")
}
