//! The proof set: real processes, real servers, real faults, and a checker that compares what
//! clients were promised with what is there. `cargo run -p proof -- list`
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a program that prints its findings; a JSON value that is missing is null"
)]

mod cargo;
mod checker;
mod disk;
mod events;
mod load;
mod log;
mod pairs;
mod places;
mod programs;
mod proxy;
mod report;
mod tables;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use futures::{StreamExt as _, stream};
use tokio::signal::unix::{SignalKind, signal};

use programs::{PROGRAMS, Program, Setting, Size};
use report::Outcome;

#[derive(Parser)]
#[command(about = "Breaks the running system and checks what its clients were promised")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What there is
    List,
    /// All programs, for every change
    Short(Options),
    /// All programs, for a night
    Long(Options),
    /// Some programs by name
    Run {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// As much as the long set does
        #[arg(long)]
        long: bool,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Args)]
struct Options {
    /// Every random choice follows from it; by default another each time
    #[arg(long)]
    seed: Option<u64>,
    /// The dipper to be proven; by default it is built and taken from the target folder
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A dipper of the version before, for `mixed`, which is left out without one
    #[arg(long)]
    before: Option<PathBuf>,
    /// A mistake to be made, by a dipper that has them planted; `faults` leaves one in `planted/`
    #[arg(long)]
    fault: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let (programs, size, options) = match Arguments::parse().command {
        Command::List => {
            for program in PROGRAMS {
                println!("{:<15} {}", program.name, program.shows);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Short(options) => (programs::short_set(), Size::Short, options),
        Command::Long(options) => (PROGRAMS.to_vec(), Size::Long, options),
        Command::Run {
            names,
            long,
            options,
        } => {
            let size = if long { Size::Long } else { Size::Short };
            (chosen(&names)?, size, options)
        }
    };
    let fault = options.fault.into_iter();
    let fault = fault.map(|name| ("DIPPER_FAULT".to_owned(), name));
    let setting = Setting {
        seed: options
            .seed
            .unwrap_or_else(|| u64::from(rand::random::<u32>())),
        size,
        binary: match options.binary {
            Some(given) => given,
            None => cargo::build(&[]).await?,
        },
        before: options.before,
        environment: fault.collect(),
    };
    // Whatever a program dies of stands in its line.
    std::panic::set_hook(Box::new(|_| {}));
    let mut asked_to_stop = signal(SignalKind::terminate())?;
    // Whoever breaks a run off leaves no process behind: what is dropped is ended.
    let passed = tokio::select! {
        passed = run_all(&programs, &setting) => passed,
        _ = asked_to_stop.recv() => false,
        _ = tokio::signal::ctrl_c() => false,
    };
    if passed {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Program>> {
    let find = |name: &String| {
        programs::find(name).with_context(|| format!("there is no program {name}; see `list`"))
    };
    names.iter().map(find).collect()
}

/// Runs programs and prints the table; says whether all passed. Those that measure time run alone;
/// of the others, which mostly wait, two run side by side. One that did not come to its end shows
/// nothing: it runs once more by itself. What one found is never asked a second time.
async fn run_all(programs: &[Program], setting: &Setting) -> bool {
    println!("{}\n\n{}", report::head(setting).await, report::title());
    let (alone, together): (Vec<Program>, Vec<Program>) =
        programs.iter().partition(|program| program.alone);
    let mut failed = Vec::new();
    let mut broken_off = Vec::new();
    for (programs, side_by_side) in [(together, 2), (alone, 1)] {
        for (program, outcome) in run_some(&programs, side_by_side, setting).await {
            if outcome.broken_off.is_some() {
                broken_off.push(program);
            } else if outcome.skipped.is_none() && !outcome.passed() {
                failed.push(program.name);
            }
        }
    }
    for (program, outcome) in run_some(&broken_off, 1, setting).await {
        if !outcome.passed() {
            failed.push(program.name);
        }
    }
    if !failed.is_empty() {
        let (names, seed) = (failed.join(" "), setting.seed);
        eprintln!("\nfailed: {names}; one again: run NAME --seed {seed}");
    }
    failed.is_empty()
}

/// Runs so many programs at once, and prints the line of each when it ends.
async fn run_some(
    programs: &[Program],
    side_by_side: usize,
    setting: &Setting,
) -> Vec<(Program, Outcome)> {
    let runs = programs.iter().map(|program| {
        let run = programs::run(*program, setting.clone());
        async move { (*program, run.await) }
    });
    let runs: Vec<_> = runs.collect();
    let mut lines = stream::iter(runs).buffer_unordered(side_by_side);
    let mut outcomes = Vec::new();
    while let Some((program, line)) = lines.next().await {
        println!("{}", report::line(&line));
        outcomes.push((program, line.outcome));
    }
    outcomes
}
