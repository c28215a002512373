//! What is printed: a head with everything that a run depends on, and a line for each program.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::Connection as _;

use crate::checker::Classes;
use crate::programs::Setting;

/// What a program found out.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What it did, with its figures.
    pub did: Vec<String>,
    /// Each place where promises and effects were compared.
    pub places: Vec<(String, Classes)>,
    /// What must not be.
    pub problems: Vec<String>,
    /// Why it cannot be run here.
    pub skipped: Option<String>,
    /// Why it came to no end, and so shows nothing, for or against.
    pub broken_off: Option<String>,
}

impl Outcome {
    /// Notes what was done or measured.
    pub fn did(&mut self, what: impl Into<String>) {
        self.did.push(what.into());
    }

    /// Notes a comparison; one that is not clean is a problem.
    pub fn compared(&mut self, place: &str, classes: Classes) {
        self.places.push((place.to_owned(), classes));
    }

    /// Adds what was found in one part of a program.
    pub fn add(&mut self, part: &str, found: Self) {
        let named = |what: String| format!("{part}: {what}");
        self.did.extend(found.did.into_iter().map(named));
        let places = found.places.into_iter();
        self.places
            .extend(places.map(|(place, classes)| (named(place), classes)));
        self.problems.extend(found.problems.into_iter().map(named));
    }

    /// Demands something.
    pub fn demand(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(otherwise());
        }
    }

    /// A program that this machine does not allow.
    pub fn not_possible(why: impl Into<String>) -> Self {
        Self {
            skipped: Some(why.into()),
            ..Self::default()
        }
    }

    /// A program that did not come to its end.
    pub fn broken_off(why: impl Into<String>) -> Self {
        Self {
            broken_off: Some(why.into()),
            ..Self::default()
        }
    }

    /// All comparisons together; accepted operations are counted where most of them are.
    pub fn classes(&self) -> Classes {
        let all: Classes = self.places.iter().map(|(_, classes)| *classes).sum();
        let most = |of: fn(&Classes) -> usize| {
            let counts = self.places.iter().map(|(_, classes)| of(classes));
            counts.max().unwrap_or_default()
        };
        Classes {
            ok: most(|classes| classes.ok),
            recovered: most(|classes| classes.recovered),
            ..all
        }
    }

    /// Everything that is wrong, a line each; what is said often is said once.
    pub fn complaints(&self) -> Vec<String> {
        let unclean = self.places.iter().filter(|(_, found)| !found.is_clean());
        let unclean = unclean.map(|(place, found)| {
            let Classes {
                lost,
                unexpected,
                twice,
                ..
            } = found;
            format!("{place}: {lost} lost, {unexpected} unexpected, {twice} twice")
        });
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for problem in &self.problems {
            *times.entry(problem).or_default() += 1;
        }
        let problems = times.into_iter().map(|(problem, times)| match times {
            1 => problem.to_owned(),
            _ => format!("{problem} ({times} times)"),
        });
        let broken_off = self.broken_off.iter().cloned();
        unclean.chain(problems).chain(broken_off).collect()
    }

    /// Whether it ran and nothing was wrong.
    pub fn passed(&self) -> bool {
        self.skipped.is_none() && self.complaints().is_empty()
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    /// The program.
    pub program: String,
    /// What it found out.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What a run depends on.
pub async fn head(setting: &Setting) -> String {
    let dipper = first_line(&setting.binary.to_string_lossy(), &["--version"]).await;
    let nats = first_line(&testkit::nats_server().to_string_lossy(), &["--version"]).await;
    let kernel = first_line("uname", &["-sr"]).await;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "seed {}, {dipper}, {nats}, SQLite {}, PostgreSQL {}, {kernel}, {cores} cores",
        setting.seed,
        sqlite_version().await.unwrap_or_default(),
        testkit::postgres::version(),
    )
}

async fn sqlite_version() -> anyhow::Result<String> {
    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await?;
    let version = sqlx::query_scalar("SELECT sqlite_version()");
    Ok(version.fetch_one(&mut connection).await?)
}

async fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .output();
    let text = output.await.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// The head of the table.
pub fn title() -> String {
    format!(
        "{:<15} {:>7} {:>9} {:>5} {:>10} {:>5}  {:<12} {:>5}  what it did",
        "program", "ok", "recovered", "lost", "unexpected", "twice", "verdict", "s"
    )
}

/// A line of the table, and below it what was wrong.
pub fn line(line: &Line) -> String {
    let Classes {
        ok,
        recovered,
        lost,
        unexpected,
        twice,
    } = line.outcome.classes();
    let (verdict, did) = match &line.outcome.skipped {
        Some(why) => ("not possible", format!("not possible here: {why}")),
        None if line.outcome.passed() => ("passed", line.outcome.did.join("; ")),
        None if line.outcome.broken_off.is_some() => ("broken off", line.outcome.did.join("; ")),
        None => ("FAILED", line.outcome.did.join("; ")),
    };
    let mut text = format!(
        "{:<15} {ok:>7} {recovered:>9} {lost:>5} {unexpected:>10} {twice:>5}  {verdict:<12} {:>5.0}  {did}",
        line.program,
        line.took.as_secs_f64()
    );
    for complaint in line.outcome.complaints() {
        text.push_str("\n    ");
        text.push_str(&complaint);
    }
    text
}
