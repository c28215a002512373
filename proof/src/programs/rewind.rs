//! Every consumer begins at the first event once more, twice: nothing changes, nobody gets a mail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use testkit::Wire;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{account_all, compare_all, drain, mails, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

const STREAMS: [&str; 7] = [
    "TICK",
    "RATE",
    "SCORE",
    "NOTIFICATION",
    "GDPR",
    "USER",
    "ADMIN",
];
/// Services that keep something.
const KEEPERS: [&str; 6] = [
    "tick-api",
    "auth-api",
    "user-api",
    "notifier",
    "statistics",
    "admin-api",
];
/// What is about deliveries and not about birds.
const NOT_BUSINESS: [&str; 6] = [
    "outbox",
    "inbox",
    "progress",
    "lease",
    "parked",
    "_sqlx_migrations",
];
/// How long a consumer may take for everything once more.
const PATIENCE: Duration = Duration::from_mins(5);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut plan = Plan::together();
    // ScoreModel keeps nothing: what it says again beyond the broker's window is stored again, and
    // then UserAPI's index of who is named where rightly grows.
    let window = ("DIPPER_DUPLICATE_WINDOW".to_owned(), "3600s".to_owned());
    plan.environment.push(window);
    let mut world = World::start(&setting, &plan).await?;
    let crowd = CrowdSize {
        owners: 5,
        pictures: size.pick(1, 2, 4),
        raters: size.pick(10, 20, 50),
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let amount = Amount {
        ticks: size.pick(100, 2_000, 50_000),
        ratings: size.pick(20, 100, 1_000),
        within: Duration::from_secs(size.pick(1, 5, 60)),
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let logs = load.finish().await;
    let mut outcome = Outcome::default();
    let drained = drain(&world, PATIENCE).await?;
    outcome.demand(drained.is_some(), || {
        "the load was not handled in time".to_owned()
    });
    let before = digests(&world).await?;
    let (mailed, repeated) = (mails(&world).await?.len(), world.mail.repeats());
    for round in 1..=2 {
        let (consumers, took) = once_more(&mut world).await?;
        outcome.did(format!(
            "rewound {consumers} consumers, caught up in {}",
            seconds(took)
        ));
        for (table, digest) in digests(&world).await? {
            let same = before.get(&table) == Some(&digest);
            outcome.demand(same, || {
                format!("round {round}: {table} is not what it was")
            });
        }
        let again = mails(&world).await?.len() - mailed;
        let repeats = world.mail.repeats() - repeated;
        outcome.demand(again + usize::try_from(repeats)? == 0, || {
            format!("round {round}: {again} new mails, {repeats} handed over again")
        });
    }
    outcome.did(format!("{} tables equal", before.len()));
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    account_all(&world, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Stops everything, has every consumer begin at the first event once more and waits until they caught up:
/// how many there are, and how long it took.
pub(super) async fn once_more(world: &mut World) -> anyhow::Result<(usize, Duration)> {
    let names: BTreeSet<_> = consumers(&world.wire().await).await?.into_keys().collect();
    caught_up(world, &names).await?;
    world.stop_all().await;
    rewind(world).await?;
    world.begin_all().await;
    let took = caught_up(world, &names).await?;
    drain(world, PATIENCE).await?;
    Ok((names.len(), took))
}

/// Checkpoints of projections are reset, and the broker forgets what it knew of consumers.
async fn rewind(world: &World) -> anyhow::Result<()> {
    for service in KEEPERS {
        let mut tables = world.tables_to_write(service).await?;
        let reset = "UPDATE progress SET checkpoint = 0, checkpoint_time = 0";
        tables.execute(reset).await?;
    }
    let wire = world.wire().await;
    for (stream, consumer) in consumers(&wire).await?.into_keys() {
        let jetstream = wire.jetstream();
        jetstream
            .delete_consumer_from_stream(consumer, stream)
            .await?;
    }
    Ok(())
}

/// By stream and name.
type Consumers = BTreeMap<(&'static str, String), Info>;

async fn consumers(wire: &Wire) -> anyhow::Result<Consumers> {
    let mut found = BTreeMap::new();
    for name in STREAMS {
        let stream = wire.jetstream().get_stream(name).await?;
        let all: Vec<Info> = stream.consumers().try_collect().await?;
        let durable = all
            .into_iter()
            .filter(|info| info.config.durable_name.is_some());
        found.extend(durable.map(|info| ((name, info.name.clone()), info)));
    }
    Ok(found)
}

/// Waits until all consumers are there and have acknowledged everything; how long it took.
async fn caught_up(
    world: &World,
    names: &BTreeSet<(&'static str, String)>,
) -> anyhow::Result<Duration> {
    let wire = world.wire().await;
    until("all consumers have caught up", PATIENCE, async || {
        let now = consumers(&wire).await.ok()?;
        let all_there = names.iter().all(|name| now.contains_key(name));
        let is_idle = |info: &Info| info.num_pending == 0 && info.num_ack_pending == 0;
        (all_there && now.values().all(is_idle)).then_some(())
    })
    .await
}

/// What each table of the business holds.
pub(super) async fn digests(world: &World) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for service in KEEPERS {
        let mut tables = world.tables(service).await?;
        let all = "SELECT name FROM sqlite_master WHERE type = 'table'";
        for table in tables.texts(all).await? {
            if table.starts_with("sqlite_") || NOT_BUSINESS.contains(&table.as_str()) {
                continue;
            }
            let columns =
                format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
            let columns = tables.texts(&columns).await?.join(" || ',' || ");
            let rows = format!("SELECT {columns} AS line FROM \"{table}\" ORDER BY line");
            let mut digest = Sha256::new();
            for row in tables.texts(&rows).await? {
                digest.update(row);
                digest.update("\n");
            }
            found.insert(
                format!("{service}.{table}"),
                format!("{:x?}", digest.finalize()),
            );
        }
    }
    Ok(found)
}
