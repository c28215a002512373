//! The programs of the set.

mod bitrot;
mod cluster;
mod disk_full;
mod erase_cost;
mod erasures;
mod faults;
mod fence;
mod kills;
mod mixed;
mod poison;
mod power;
mod prefetch;
mod rebuild;
mod rewind;
mod rolling;
mod timing;
mod user_api_away;
mod versions;
mod wipe;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::report::{Line, Outcome};

/// How much a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Just enough to show a planted fault.
    Tiny,
    /// For every change.
    Short,
    /// For a night.
    Long,
}

impl Size {
    /// The figure for this size.
    pub fn pick<T>(self, tiny: T, short: T, long: T) -> T {
        match self {
            Self::Tiny => tiny,
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// What a program is run with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Every random choice follows from it.
    pub seed: u64,
    /// How much is done.
    pub size: Size,
    /// The program under proof.
    pub binary: PathBuf,
    /// The same of the version before, for `mixed`.
    pub before: Option<PathBuf>,
    /// More `DIPPER_*` variables for it.
    pub environment: Vec<(String, String)>,
}

type Running = Pin<Box<dyn Future<Output = anyhow::Result<Outcome>> + Send>>;

/// A program of the set.
#[derive(Clone, Copy)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// It measures time, and needs the machine for itself.
    pub alone: bool,
    /// Its beginning.
    start: fn(Setting) -> Running,
}

/// All programs, in the order in which they are run.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "kills",
        shows: "kill -9 of every process under load loses nothing and repeats nothing",
        alone: true,
        start: |setting| Box::pin(kills::run(setting)),
    },
    Program {
        name: "wipe",
        shows: "a broker that comes back empty is filled again from the outboxes",
        alone: false,
        start: |setting| Box::pin(wipe::run(setting)),
    },
    Program {
        name: "prefetch",
        shows: "workers that die or stop with hundreds of fetched messages lose and delay none",
        alone: false,
        start: |setting| Box::pin(prefetch::run(setting)),
    },
    Program {
        name: "fence",
        shows: "a worker that was frozen beyond its lease commits nothing",
        alone: false,
        start: |setting| Box::pin(fence::run(setting)),
    },
    Program {
        name: "rewind",
        shows: "consumers that begin anew change nothing and mail nobody",
        alone: false,
        start: |setting| Box::pin(rewind::run(setting)),
    },
    Program {
        name: "rebuild",
        shows: "a projection is built anew beside live traffic, and no reader sees a gap",
        alone: false,
        start: |setting| Box::pin(rebuild::run(setting)),
    },
    Program {
        name: "rolling",
        shows: "two processes of every service, restarted in turn under up to 200 requests a second, fail none",
        alone: true,
        start: |setting| Box::pin(rolling::run(setting)),
    },
    Program {
        name: "mixed",
        shows: "processes of the version before and of this one lose and misread nothing side by side",
        alone: true,
        start: |setting| Box::pin(mixed::run(setting)),
    },
    Program {
        name: "versions",
        shows: "readers of both versions of ratings get each once, whenever TickAPI is killed",
        alone: false,
        start: |setting| Box::pin(versions::run(setting)),
    },
    Program {
        name: "power",
        shows: "a power failure loses nothing for good, however lazily the broker flushes",
        alone: false,
        start: |setting| Box::pin(power::run(setting)),
    },
    Program {
        name: "bitrot",
        shows: "damage in the broker's files is noticed and repaired",
        alone: false,
        start: |setting| Box::pin(bitrot::run(setting)),
    },
    Program {
        name: "cluster",
        shows: "a cluster whose leader is killed loses nothing",
        alone: false,
        start: |setting| Box::pin(cluster::run(setting)),
    },
    Program {
        name: "disk-full",
        shows: "a full disk or failing flushes lose nothing, and are survived without help",
        alone: false,
        start: |setting| Box::pin(disk_full::run(setting)),
    },
    Program {
        name: "poison",
        shows: "what fails holds up its own key only, and is repaired without a loss",
        alone: true,
        start: |setting| Box::pin(poison::run(setting)),
    },
    Program {
        name: "user-api-away",
        shows: "mails wait for UserAPI, with one probe at a time, and flow when it is back",
        alone: false,
        start: |setting| Box::pin(user_api_away::run(setting)),
    },
    Program {
        name: "erasures",
        shows: "erasures that race with what their people do leave nothing, and others as they were",
        alone: false,
        start: |setting| Box::pin(erasures::run(setting)),
    },
    Program {
        name: "erase-cost",
        shows: "an erasure takes as long as the person has events, however many others there are",
        alone: true,
        start: |setting| Box::pin(erase_cost::run(setting)),
    },
    Program {
        name: "timing",
        shows: "no answer's time tells whether an address is known",
        alone: true,
        start: |setting| Box::pin(timing::run(setting)),
    },
    Program {
        name: "faults",
        shows: "mistakes planted in the product make the programs above fail",
        alone: true,
        start: |setting| Box::pin(faults::run(setting)),
    },
];

/// A program by its name.
pub fn find(name: &str) -> Option<Program> {
    PROGRAMS
        .iter()
        .copied()
        .find(|program| program.name == name)
}

/// The programs for a night: they build the product once more and break it many times, or do so much that
/// they would take as long as all others together.
const FOR_A_NIGHT: [&str; 4] = ["erasures", "erase-cost", "timing", "faults"];

/// The programs for every change.
pub fn short_set() -> Vec<Program> {
    let quick = PROGRAMS
        .iter()
        .filter(|program| !FOR_A_NIGHT.contains(&program.name));
    quick.copied().collect()
}

/// Runs a program; one that dies, or does not come to its end, has failed.
pub async fn run(program: Program, setting: Setting) -> Line {
    let began = Instant::now();
    let limit = Duration::from_mins(setting.size.pick(2, 20, 60));
    let mut running = tokio::spawn((program.start)(setting));
    let outcome = match tokio::time::timeout(limit, &mut running).await {
        Ok(Ok(Ok(outcome))) => outcome,
        Ok(Ok(Err(error))) => Outcome::broken_off(format!("{error:#}")),
        Ok(Err(died)) => Outcome::broken_off(reason(died)),
        Err(_) => {
            running.abort();
            Outcome::broken_off(format!("no end after {}", seconds(limit)))
        }
    };
    Line {
        program: program.name.to_owned(),
        outcome,
        took: began.elapsed(),
    }
}

fn reason(died: tokio::task::JoinError) -> String {
    let Ok(panic) = died.try_into_panic() else {
        return "it was broken off".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "it died".to_owned())
}

/// Seconds with one digit.
pub fn seconds(length: Duration) -> String {
    format!("{:.1} s", length.as_secs_f64())
}
