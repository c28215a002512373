//! A volume is full, or does not flush any more, under load; later it works again.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;
use testkit::{Api, Launch, PHOTO, Running, Wire, program};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::{Setting, seconds};
use crate::checker::compare;
use crate::disk::Disk;
use crate::load::{Amount, Crowd, CrowdSize, Load, Logs};
use crate::places::{distinct, until};
use crate::report::Outcome;
use crate::tables::Tables;

const WITHIN: Duration = Duration::from_mins(1);
/// Enough for what goes on here; the file behind it stays small.
const DISK: &str = "1G";

#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The volume in this folder is full.
    Full(&'static str),
    /// The broker's flushes fail.
    BrokerDoesNotFlush,
    /// The databases' flushes fail.
    DatabasesDoNotFlush,
}

const TROUBLES: [Trouble; 5] = [
    Trouble::Full("nats"),
    Trouble::Full("db"),
    Trouble::Full("objects"),
    Trouble::BrokerDoesNotFlush,
    Trouble::DatabasesDoNotFlush,
];

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    if let Err(why) = Disk::new(DISK).await {
        return Ok(Outcome::not_possible(format!("{why:#}")));
    }
    if let Err(why) = Command::new("strace").arg("-V").output().await {
        return Ok(Outcome::not_possible(format!("strace: {why}")));
    }
    let mut outcome = Outcome::default();
    for trouble in TROUBLES {
        let mut found = Outcome::default();
        if let Err(error) = one(&setting, trouble, &mut found).await {
            found.problems.push(format!("{error:#}"));
        }
        outcome.add(&format!("{trouble:?}"), found);
    }
    Ok(outcome)
}

async fn one(setting: &Setting, trouble: Trouble, outcome: &mut Outcome) -> anyhow::Result<()> {
    let disk = match trouble {
        Trouble::Full(_) => Some(Disk::new(DISK).await?),
        Trouble::BrokerDoesNotFlush | Trouble::DatabasesDoNotFlush => None,
    };
    let folder = tempfile::Builder::new().prefix("dipper-proof-").tempdir()?;
    if let (Some(disk), Trouble::Full(name)) = (&disk, trouble) {
        std::os::unix::fs::symlink(disk.path(), folder.path().join(name))?;
    }
    let binary = setting.binary.to_string_lossy();
    let mut launch = Launch::up(&binary, folder.path()).log_to(&folder.path().join("services.log"));
    for (name, value) in &setting.environment {
        launch = launch.env(name, value);
    }
    let running = launch.start().await;
    let api = Api::new(&running.url);
    let crowd = Crowd::gather(
        &api,
        CrowdSize {
            owners: 3,
            pictures: 1,
            raters: 0,
        },
    )
    .await;
    let within = Duration::from_secs(setting.size.pick(10, 14, 60));
    let amount = Amount {
        ticks: setting.size.pick(100, 300, 3_000),
        ratings: 0,
        within,
    };
    let load = Load::start(&api, &crowd, amount, setting.seed);
    tokio::time::sleep(within / 5).await;
    let begun = match &disk {
        Some(disk) => Begun::Filled(disk.fill().await?),
        None => Begun::Traced(break_flushes(&running, &folder, trouble)?),
    };
    tokio::time::sleep(within / 2).await;
    begun.end().await?;
    let better = Instant::now();
    let logs = load.finish().await;
    let whole = whole_again(folder.path(), logs.ticks.count()).await;
    outcome.did(format!(
        "whole again {} after it ended",
        seconds(better.elapsed())
    ));
    outcome.demand(whole && better.elapsed() < WITHIN, || {
        "not whole again in time".to_owned()
    });
    uploads_work(&api, &crowd, outcome).await;
    everything_once(folder.path(), &logs, outcome).await?;
    running.kill().await;
    broker_ends(folder.path()).await
}

/// What is to be ended.
enum Begun {
    Filled(TempDir),
    Traced(Child),
}

impl Begun {
    async fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Filled(filler) => filler.close()?,
            Self::Traced(mut strace) => {
                // Asked to stop it lets go of the process; killed, it would take it along.
                program::signal(strace.id().context("strace ended by itself")?, "TERM").await;
                strace.wait().await?;
            }
        }
        Ok(())
    }
}

fn break_flushes(running: &Running, folder: &TempDir, trouble: Trouble) -> anyhow::Result<Child> {
    let pid = match trouble {
        Trouble::BrokerDoesNotFlush => broker_pid(folder.path())?,
        _ => running.pid().to_string(),
    };
    let calls = "inject=fsync,fdatasync:error=EIO";
    let output = folder.path().join("strace");
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-q",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        calls,
        "-p",
        &pid,
        "-o",
    ]);
    Ok(strace.arg(output).kill_on_drop(true).spawn()?)
}

fn broker_pid(folder: &Path) -> anyhow::Result<String> {
    let pid = std::fs::read_to_string(folder.join("nats/nats-server.pid"))?;
    Ok(pid.trim().to_owned())
}

/// The broker ends after its keeper; its files are needed until then.
async fn broker_ends(folder: &Path) -> anyhow::Result<()> {
    let process = Path::new("/proc").join(broker_pid(folder)?);
    until("the broker ends", WITHIN, async || {
        (!process.exists()).then_some(())
    })
    .await?;
    Ok(())
}

/// Waits until all accepted ticks are everywhere.
async fn whole_again(folder: &Path, ticks: usize) -> bool {
    let databases = folder.join("db");
    let wanted = i64::try_from(ticks).unwrap_or(i64::MAX);
    let there = until("all is whole again", WITHIN, async || {
        let mut tables = Tables::open(&databases, "statistics").await.ok()?;
        let ticks = tables
            .number("SELECT count(*) FROM tick WHERE stands")
            .await
            .ok()?;
        let scores = "SELECT count(*) FROM fact WHERE kind = 'score'";
        let scores = tables.number(scores).await.ok()?;
        (ticks >= wanted && scores >= wanted).then_some(())
    });
    there.await.is_ok()
}

async fn uploads_work(api: &Api, crowd: &Crowd, outcome: &mut Outcome) {
    if let Some((owner, _)) = crowd.owners.first() {
        let request = api.request(reqwest::Method::POST, "/api/v1/images");
        let request = request
            .bearer_auth(&owner.token)
            .header("content-type", "image/jpeg");
        let answer = api.try_send(request.body(PHOTO.to_vec())).await;
        let created = answer.is_some_and(|answer| answer.status.as_u16() == 201);
        outcome.demand(created, || {
            "no picture can be uploaded afterwards".to_owned()
        });
    }
}

async fn everything_once(folder: &Path, logs: &Logs, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (ticks, complaints) = logs.ticks.read();
    outcome.problems.extend(complaints);
    let databases = folder.join("db");
    let mut tick_api = Tables::open(&databases, "tick-api").await?;
    outcome.compared(
        "TickAPI",
        compare(&ticks, tick_api.ids("SELECT id FROM tick").await?),
    );
    let mut statistics = Tables::open(&databases, "statistics").await?;
    let counted = statistics.ids("SELECT id FROM tick WHERE stands").await?;
    outcome.compared("Statistics", compare(&ticks, counted));
    let stored = distinct(Wire::connect(folder, "operator").await.read("TICK").await);
    let ids = stored.iter().filter_map(testkit::wire::Stored::id);
    outcome.compared("TICK", compare(&ticks, ids));
    Ok(())
}
