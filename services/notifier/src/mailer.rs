//! The mailer: sends what is due, several mails side by side, and waits while the mail server or
//! a service that it asks is away. What it could not send stays where it is.

mod accounts;
mod outage;
pub(crate) mod ratings;

use std::pin::Pin;
use std::time::Duration;

use chassis::clock::micros;
use chassis::database::{DatabaseError, Dialect};
use chassis::group_commit::NotStored;
use chassis::lifecycle::Lifecycle;
use chassis::rpc::AskError;
use chassis::unit_of_work::WorkError;
use envelope::UserId;
use futures::{StreamExt as _, stream};

use self::outage::Outage;
use crate::{App, store};

/// How many mails of each sort are taken at once, and how many are sent side by side.
const AT_ONCE: i64 = 16;
const SIDE_BY_SIDE: usize = 16;
/// Longer than a mail can take; then another process may send what a dead one has claimed.
const CLAIM: Duration = Duration::from_secs(30);
/// A net for wake-ups that were missed, e.g. rows queued by another process.
const POLL: Duration = Duration::from_secs(1);
/// Who wakes the mailer commits a moment later.
const COMMITTED_BY_THEN: Duration = Duration::from_millis(30);
/// While a mail is being handed over, its recipient may be erased.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After so many refusals for now, about a day, a mail is taken for refused for good.
const MOST_ATTEMPTS: i64 = 1440;

/// Why a mail stays where it is.
#[derive(Debug, thiserror::Error)]
enum Setback {
    /// The mail server or a service does not answer.
    #[error("{0}")]
    Away(String),
    /// The database refused.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// The database refused a change that was made together with others.
    #[error(transparent)]
    NotStored(#[from] NotStored),
    /// A template failed: a mistake of ours.
    #[error("a mail cannot be written: {0}")]
    Letter(#[from] askama::Error),
}

impl From<DatabaseError> for Setback {
    fn from(error: DatabaseError) -> Self {
        Self::Work(error.into())
    }
}

impl From<AskError> for Setback {
    fn from(error: AskError) -> Self {
        Self::Away(error.to_string())
    }
}

/// What a round found to do.
enum Round {
    /// Nothing before so long.
    Nothing(Duration),
    /// All mails that were due went through.
    Through,
    /// Some did; why another did not.
    Partly(Setback),
    /// None did.
    Stuck(Setback),
}

type Sending = Pin<Box<dyn Future<Output = Result<(), Setback>> + Send>>;

/// Sends mails until the stop.
pub(crate) async fn run(app: App, lifecycle: Lifecycle) -> anyhow::Result<()> {
    if let Err(error) = release(&app).await {
        tracing::warn!(%error, "mails that were on their way wait until their claims lapse");
    }
    let mut outage = Outage::default();
    while !lifecycle.is_stopping() {
        match round(&app).await {
            Ok(Round::Nothing(wait)) => wait_for_work(&app, wait, &lifecycle).await,
            Ok(Round::Through) => outage.is_over(),
            Ok(Round::Partly(setback)) => {
                lifecycle.pause(outage.is_partial(&setback)).await;
            }
            Ok(Round::Stuck(setback)) | Err(setback) => {
                lifecycle.pause(outage.goes_on(&setback)).await;
            }
        }
    }
    Ok(())
}

/// A SQLite database belongs to one process: what is claimed in it was claimed by one that ended.
async fn release(app: &App) -> Result<(), DatabaseError> {
    let mut work = app.database.begin().await?;
    if work.dialect() == Dialect::Sqlite {
        store::release_all(&mut work).await?;
    }
    work.commit().await
}

async fn wait_for_work(app: &App, wait: Duration, lifecycle: &Lifecycle) {
    tokio::select! {
        () = app.queued.notified() => {
            lifecycle.pause(COMMITTED_BY_THEN).await;
        }
        () = tokio::time::sleep(wait.min(POLL)) => {}
        () = lifecycle.stopped() => {}
    }
}

async fn round(app: &App) -> Result<Round, Setback> {
    let mut session = app.database.read().await?;
    let due = store::next_due(&mut session).await?;
    drop(session);
    let wait = due.map_or(i64::MAX, |due| due - app.clock.micros());
    if wait > 0 {
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or_default());
        return Ok(Round::Nothing(wait));
    }
    let outcomes: Vec<Result<(), Setback>> = stream::iter(claim(app).await?)
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let some_went_through = outcomes.iter().any(Result::is_ok);
    Ok(match outcomes.into_iter().find_map(Result::err) {
        None => Round::Through,
        Some(setback) if some_went_through => Round::Partly(setback),
        Some(setback) => Round::Stuck(setback),
    })
}

/// Claims mails that are due. Mails about accounts go first: somebody is waiting for them.
async fn claim(app: &App) -> Result<Vec<Sending>, Setback> {
    let now = app.clock.micros();
    let times = (now, after(now, CLAIM));
    let mut work = app.database.begin().await?;
    let accounts = store::accounts::claim(&mut work, times, AT_ONCE).await?;
    let ratings = store::ratings::claim(&mut work, times, AT_ONCE).await?;
    work.commit().await?;
    let mut sendings: Vec<Sending> = Vec::new();
    for turn in accounts {
        sendings.push(Box::pin(accounts::send(app.clone(), turn)));
    }
    for turn in ratings {
        sendings.push(Box::pin(ratings::send(app.clone(), turn)));
    }
    Ok(sendings)
}

/// Ends once somebody is erased, by whichever process.
async fn until_erased(app: &App, user: UserId) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if matches!(app.database.is_erased(user.0).await, Ok(true)) {
            return;
        }
    }
}

fn after(now: i64, length: Duration) -> i64 {
    now.saturating_add(micros(length))
}

fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!("dipper_mails_total", "kind" => kind, "outcome" => outcome).increment(1);
}
