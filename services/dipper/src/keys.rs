//! `dipper keys rotate`: a new key seals, the services seal anew what older ones have sealed, and when nothing
//! is left the older ones are destroyed. `dipper keys admit`: they come back for an old backup.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chassis::bus::Bus;
use chassis::keys::{Begun, Finished, Keys, create_private_folder, write_private};
use chassis::resealing::{SealAnew, SealedAnew, replicas};
use chassis::retention::tables::Oldest;
use chassis::rpc::{AskError, ask_service};
use chassis::settings::{Secret, Settings};
use data_map::{SEALS, Seal};

use crate::arguments::Rotate;
use crate::backup::keys_of;
use crate::{say, up};

/// How long to wait before a service is asked again that did not answer.
const AGAIN: Duration = Duration::from_millis(500);
/// How often in a row it may not answer.
const MOST_MISSED: u32 = 40;

/// How often in a row a process may still seal with an older key.
const MOST_BEHIND: u32 = 5;

/// What was done so far.
#[derive(Default)]
struct Progress {
    values: BTreeMap<String, u64>,
    /// Columns with values that no key opens.
    unreadable: Vec<String>,
}

/// Rotates the key, or goes on with a rotation that was broken off.
pub(crate) async fn rotate(settings: &Settings, command: &Rotate) -> anyhow::Result<()> {
    let keys = keys_of(settings)?;
    let folder = settings.keys_folder();
    let Some(_lock) = up::lock(&folder)? else {
        bail!("another rotation works in {}", folder.display());
    };
    let bus = Bus::connect(&settings.broker_of_instance("operator")?, "operator").await?;
    let outcome = rotate_with(&bus, settings, &keys, command).await;
    bus.close().await;
    outcome
}

/// Takes in keys that were kept.
pub(crate) fn admit(settings: &Settings, kept: &Path) -> anyhow::Result<()> {
    let keys = keys_of(settings)?;
    keys.admit(&Keys::open_existing(kept)?)?;
    say("taken in; restore what was backed up with them, then rotate again to destroy them");
    Ok(())
}

async fn rotate_with(
    bus: &Bus,
    settings: &Settings,
    keys: &Keys,
    command: &Rotate,
) -> anyhow::Result<()> {
    all_answer(bus).await?;
    if let Some(kept) = &command.keep {
        keep(settings, kept)?;
    }
    match keys.begin_rotation(settings.new_secret.as_ref().map(Secret::reveal))? {
        Begun::New => say(&format!("key {} seals from now on", keys.newest())),
        Begun::Resumed => say(&format!("going on: key {} seals", keys.newest())),
        Begun::Switching => say("going on: everything is sealed anew"),
    }
    let older = keys.older();
    if !older.is_empty() {
        all_follow(bus, keys).await?;
        seal_all(bus, keys, settings.key_overlap.0).await?;
        // Also who was started meanwhile.
        all_follow(bus, keys).await?;
    }
    let finished = keys.finish_rotation()?;
    for number in &older {
        say(&format!("destroyed: key {number}"));
    }
    say(match finished {
        Finished::Completely => "done: nothing on the disk opens with an older key or secret",
        Finished::WithOldSecret => {
            "one step is left: start all processes with the new secret as DIPPER_SECRET, then run this again with it; until then the old secret still opens the key ring"
        }
    });
    Ok(())
}

/// Nothing is begun that could not be finished.
async fn all_answer(bus: &Bus) -> anyhow::Result<()> {
    for seal in SEALS {
        let answer = ask_service(bus, seal.service, &Oldest {}).await;
        answer.with_context(|| format!("{} must run to seal anew", seal.service))?;
    }
    Ok(())
}

/// Waits until every process that seals does so with the newest key: another would go on to make what only older ones
/// open.
async fn all_follow(bus: &Bus, keys: &Keys) -> anyhow::Result<()> {
    let mut missed = 0;
    loop {
        let newest = keys.newest();
        let behind = replicas(bus).await?.into_iter().find(|replica| {
            replica.key != newest && SEALS.iter().any(|seal| seal.service == replica.service)
        });
        match behind {
            None => return Ok(()),
            Some(_) if missed < MOST_BEHIND => missed += 1,
            Some(replica) => bail!(
                "a process of {} does not see the key ring in this data folder; all processes must share it. The older \
                 keys are kept; stop it, and run this again to go on",
                replica.service
            ),
        }
    }
}

/// Copies secret and key ring.
fn keep(settings: &Settings, kept: &Path) -> anyhow::Result<()> {
    ensure!(!kept.exists(), "{} is there already", kept.display());
    create_private_folder(kept)?;
    let own = settings.keys_folder();
    let secret = settings
        .secret
        .as_ref()
        .map(|secret| secret.reveal().to_owned());
    let secret = secret.map_or_else(|| std::fs::read_to_string(own.join("master.key")), Ok)?;
    write_private(&kept.join("master.key"), &secret)?;
    if let Ok(ring) = std::fs::read_to_string(own.join("ring.json")) {
        write_private(&kept.join("ring.json"), &ring)?;
    }
    File::open(kept)?.sync_all()?;
    say(&format!("the keys as they are now: {}", kept.display()));
    Ok(())
}

/// Until nothing is found, for as long as somebody may still write what they have sealed with an older key.
async fn seal_all(bus: &Bus, keys: &Keys, overlap: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut all = Progress::default();
    loop {
        let is_late_enough = began.elapsed() >= overlap;
        let mut pass = Progress::default();
        for seal in SEALS {
            seal_column(bus, keys, seal, &mut pass).await?;
        }
        ensure!(
            pass.unreadable.is_empty(),
            "some values open with no key, so the older ones are kept: {}",
            pass.unreadable.join(", ")
        );
        let is_clean = pass.values.is_empty();
        for (column, values) in pass.values {
            *all.values.entry(column).or_default() += values;
        }
        if is_clean && is_late_enough {
            break;
        }
        if is_clean {
            tokio::time::sleep(overlap.saturating_sub(began.elapsed())).await;
        }
    }
    for (column, values) in &all.values {
        say(&format!("{column}: {values} sealed anew"));
    }
    Ok(())
}

async fn seal_column(
    bus: &Bus,
    keys: &Keys,
    seal: &Seal,
    pass: &mut Progress,
) -> anyhow::Result<()> {
    let name = format!("{}: {}.{}", seal.service, seal.table, seal.column);
    let mut after = None;
    loop {
        let question = SealAnew {
            table: seal.table.to_owned(),
            column: seal.column.to_owned(),
            after,
        };
        let page = ask(bus, seal.service, &question).await?;
        ensure!(
            page.key == keys.newest(),
            "{} does not see the key ring in this data folder; all processes must share it",
            seal.service
        );
        if page.unreadable > 0 {
            pass.unreadable
                .push(format!("{name} ({})", page.unreadable));
        }
        if page.values > 0 {
            let values = pass.values.entry(name.clone()).or_default();
            *values += page.values;
            tracing::info!(column = name, values, "sealed anew");
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A service may be away for a moment.
async fn ask(bus: &Bus, service: &str, question: &SealAnew) -> anyhow::Result<SealedAnew> {
    let mut missed = 0;
    loop {
        match ask_service(bus, service, question).await {
            Err(AskError::Unavailable(_)) if missed < MOST_MISSED => missed += 1,
            answer => {
                return answer.context("the older keys are kept; run it again to go on");
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
