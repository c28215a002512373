//! After a restore: everybody who was erased since the backup is erased again. All fences get the ledger's
//! hashes, the streams are read from the beginning, so that what names an erased person is found in
//! them, and for everybody whom a service names again an ordinary erasure is begun. Until it is all done
//! the data folder is marked, and nothing is served.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use chassis::Chassis;
use chassis::database::Database;
use chassis::ledger::Chain;
use chassis::restored::{Mark, Restored};
use chassis::returned::{self, Refence, Returned};
use chassis::rpc::{ask, ask_service};
use clients::tick::BeginErasure;
use data_map::services;
use envelope::{EventId, UserId};
use uuid::Uuid;

use crate::store::{erasures, exports, identities, index, late, ledger, scans};
use crate::tombstones::Tombstones;
use crate::{App, NAME, broker, dead_letters};

/// How often to look whether everything is done, and to ask again who did not answer.
const POLL: Duration = Duration::from_millis(250);
/// How many hashes go into one question: a message of the broker has a megabyte.
const HASHES: usize = 8192;

/// What is to be replayed.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    mark: Mark,
    chain: Chain,
}

/// Opens the ledger; refuses one that is missing, or older than it was. Says what has to be replayed:
/// after a restore, or when the ledger knows more than the database, which then must be an old copy. Before
/// any event is handled, whoever the ledger names has no identity here any more.
pub(crate) async fn prepare(
    chassis: &Chassis,
    database: &Database,
    tombstones: &Tombstones,
) -> anyhow::Result<Option<Replay>> {
    let mark = Mark::of(&chassis.settings.data_dir);
    let restored = mark.read()?;
    let recorded = ledger::head(&mut database.read().await?).await?;
    if recorded.is_none() && restored.is_none() {
        tombstones.ledger.create()?;
    }
    let chain = tombstones.ledger.read()?;
    let heads = recorded
        .iter()
        .chain(restored.iter().map(|one| &one.ledger));
    for head in heads {
        tombstones.ledger.read_from(head)?;
    }
    let is_behind = recorded.is_some_and(|head| head.entries < chain.head().entries);
    let is_old = is_behind && !returned::is_led(database).await?;
    if restored.is_none() && !is_old {
        record(database, &chain).await?;
        return Ok(None);
    }
    if restored.is_none() {
        tracing::warn!("the databases are older than the ledger of erased people");
        mark.set(&Restored {
            at: chassis.clock.now(),
            missing: Vec::new(),
            ledger: chain.head(),
        })?;
    }
    fence_off(chassis, database, &chain).await?;
    Ok(Some(Replay { mark, chain }))
}

async fn record(database: &Database, chain: &Chain) -> anyhow::Result<()> {
    let mut work = database.begin().await?;
    ledger::record(&mut work, &chain.head()).await?;
    Ok(work.commit().await?)
}

async fn fence_off(chassis: &Chassis, database: &Database, chain: &Chain) -> anyhow::Result<()> {
    let mut work = database.begin().await?;
    work.fence_hashes(&subjects(chain)).await?;
    work.commit().await?;
    let people = returned::all(database, &chassis.lifecycle).await?;
    let mut work = database.begin().await?;
    for person in people {
        identities::destroy(&mut work, person).await?;
        exports::end_of_user(&mut work, person).await?;
    }
    exports::end_ready(&mut work).await?;
    index::forget_all(&mut work).await?;
    returned::read_again(&mut work).await?;
    work.deletes_for_good();
    Ok(work.commit().await?)
}

fn subjects(chain: &Chain) -> Vec<String> {
    let subjects: HashSet<&String> = chain.tombstones().map(|one| &one.subject).collect();
    subjects.into_iter().cloned().collect()
}

/// What need not be done again.
#[derive(Default)]
struct Done {
    /// The services that have fenced everybody off.
    fenced: HashSet<&'static str>,
    /// For whom an erasure was begun.
    asked: HashSet<Uuid>,
}

/// Replays, if there is something to replay.
pub(crate) async fn run(app: App, replay: Option<Replay>) -> anyhow::Result<()> {
    let Some(replay) = replay else {
        return Ok(());
    };
    let subjects = subjects(&replay.chain);
    tracing::warn!(
        erased = subjects.len(),
        "this was restored from a backup; nothing is served until who was erased since is erased again"
    );
    let mut done = Done::default();
    while !app.lifecycle.is_stopping() {
        match round(&app, &subjects, &mut done).await {
            Ok(true) => {
                record(&app.database, &replay.chain).await?;
                replay.mark.clear()?;
                tracing::info!(
                    erased_again = done.asked.len(),
                    "the ledger of erased people is replayed; everything is served again"
                );
                return Ok(());
            }
            Ok(false) => {}
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the ledger is not replayed yet; trying again");
            }
        }
        app.lifecycle.pause(POLL).await;
    }
    Ok(())
}

/// Says whether nothing is left to do. In this order: what others have done with is in the streams by
/// then, what is read there is in the erasures and among what came late.
async fn round(app: &App, subjects: &[String], done: &mut Done) -> anyhow::Result<bool> {
    for service in services() {
        if !done.fenced.contains(service) {
            refence(app, service, subjects).await?;
            done.fenced.insert(service);
        }
    }
    let people = who_returned(app).await?;
    let under_way = erasures::under_way(&mut app.database.read().await?).await?;
    for person in &people {
        if !under_way.contains(person) && !done.asked.contains(person) {
            erase_again(app, *person).await?;
            done.asked.insert(*person);
        }
    }
    if !people.is_empty() || !has_read_again(app).await? {
        return Ok(false);
    }
    let mut session = app.database.read().await?;
    let is_done = erasures::under_way(&mut session).await?.is_empty()
        && !scans::is_any(&mut session).await?
        && late::first(&mut session, 1).await?.is_empty();
    drop(session);
    Ok(is_done && dead_letters::sweep(app, 1).await?.deleted == 0)
}

async fn refence(app: &App, service: &str, subjects: &[String]) -> anyhow::Result<()> {
    for some in subjects.chunks(HASHES) {
        let subjects = some.to_vec();
        ask_service(&app.bus, service, &Refence { subjects }).await?;
    }
    Ok(())
}

/// Whom of the erased any service names, now that all have fenced them off.
async fn who_returned(app: &App) -> anyhow::Result<HashSet<Uuid>> {
    let mut people = HashSet::new();
    for service in services() {
        let mut after = None;
        loop {
            let page = ask_service(&app.bus, service, &Returned { after }).await?;
            people.extend(page.people);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(people)
}

async fn erase_again(app: &App, user: Uuid) -> anyhow::Result<()> {
    let question = BeginErasure {
        user: UserId(user),
        event: EventId(app.clock.id()),
    };
    let asked = ask(&app.bus, &question).await;
    asked.context("an erasure could not be begun")
}

async fn has_read_again(app: &App) -> anyhow::Result<bool> {
    for stream in broker::indexed_streams() {
        let last = broker::last(&app.bus, stream).await?;
        let mut session = app.database.read().await?;
        if last > 0 && !returned::has_read(&mut session, (NAME, stream.name), last).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
