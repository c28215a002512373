//! A worker that is frozen beyond its lease commits nothing when it goes on.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::consumer::PullConsumer;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use testkit::{Postgres, Wire, program};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Setting, seconds};
use crate::checker::compare;
use crate::events::{publish_all, tick};
use crate::load::random_id;
use crate::log::Operations;
use crate::places::until;
use crate::report::Outcome;
use crate::tables::Tables;
use crate::world::{Plan, World, launch};

const PATIENCE: Duration = Duration::from_mins(1);
/// So often a moment is tried before the program gives up.
const TRIES: usize = 300;

/// Who holds the lease now.
const HELD: &str = "SELECT holder FROM lease
    WHERE leased_until > extract(epoch FROM clock_timestamp()) * 1000000";
const EPOCH: &str = "SELECT COALESCE(max(epoch), 0) FROM lease WHERE leased_until > 0";
const AT_WORK: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
const IN_TRANSACTION: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let postgres = Postgres::start().await;
    let address = postgres.url();
    let plan = Plan {
        database_url: Some(address.clone()),
        ..Plan::only(&["statistics"])
    };
    let mut world = World::start(&setting, &plan).await?;
    // Nobody else can hold the lease yet.
    let first = until_held(&address).await?;
    let own = format!("127.0.0.1:{}", testkit::free_port());
    let standby = launch(&setting, &plan, world.folder(), (&["statistics"], &own));
    let standby = standby.start().await;
    let mut outcome = Outcome::default();
    let mut said = Vec::new();
    let mut random = StdRng::seed_from_u64(setting.seed);
    let rounds = setting.size.pick(1, 2, 20);
    let workers = Workers {
        address: address.clone(),
        first: (first, world.pid("statistics").unwrap_or_default()),
        second: standby.pid(),
    };
    for _ in 0..rounds {
        let took = freeze(&world, &workers, (&mut random, &mut said)).await?;
        outcome.did(format!(
            "frozen with events in its hands, replaced after {}",
            seconds(took)
        ));
    }
    let mut tables = Tables::postgres(&address, "statistics").await?;
    let there = tables.ids("SELECT id FROM tick WHERE stands").await?;
    let all = Operations::accepted(said.iter().copied());
    outcome.compared("Statistics", compare(&all, there));
    let counts = |column: &str| {
        format!("SELECT COALESCE(sum({column}), 0)::bigint FROM progress WHERE stream = 'TICK'")
    };
    let offered = tables.number(&counts("offered")).await?;
    let repeated = tables.number(&counts("repeated")).await?;
    outcome.demand(
        offered == i64::try_from(said.len())? && repeated == 0,
        || {
            format!(
                "{} events were taken {offered} times: a fenced-off worker committed",
                said.len()
            )
        },
    );
    standby.kill().await;
    world.stop_all().await;
    Ok(outcome)
}

/// Two processes on one database.
struct Workers {
    address: String,
    /// The one that was there alone, by the name under which it holds the lease.
    first: (String, u32),
    second: u32,
}

/// The process that holds the lease.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Active {
    pid: u32,
    epoch: i64,
}

impl Workers {
    /// Who holds the lease now. On a busy machine it may change hands by itself.
    async fn active(&self) -> anyhow::Result<Active> {
        let mut tables = Tables::postgres(&self.address, "statistics").await?;
        let epoch = tables.number(EPOCH).await?;
        let holder = until_held(&self.address).await?;
        let (name, pid) = &self.first;
        let pid = if *name == holder { *pid } else { self.second };
        Ok(Active { pid, epoch })
    }
}

/// Under which name the lease is held, as soon as it is.
async fn until_held(address: &str) -> anyhow::Result<String> {
    until("somebody holds the lease", PATIENCE, async || {
        holder(address).await.map(drop)
    })
    .await?;
    holder(address).await.context("nobody holds the lease")
}

async fn holder(address: &str) -> Option<String> {
    let mut tables = Tables::postgres(address, "statistics").await.ok()?;
    tables.texts(HELD).await.ok()?.pop()
}

/// Freezes the active worker with events in its hands until the other has taken over and done
/// everything, and lets it go on. How long it took until the other began.
async fn freeze(
    world: &World,
    workers: &Workers,
    (random, said): (&mut StdRng, &mut Vec<Uuid>),
) -> anyhow::Result<Duration> {
    let address = workers.address.as_str();
    let wire = world.wire().await;
    let worker = freeze_with_events(&wire, workers, (random, said)).await?;
    let frozen = Instant::now();
    publish(&wire, 1_000, (random, said)).await;
    until("another worker takes over", PATIENCE, async || {
        let mut tables = Tables::postgres(address, "statistics").await.ok()?;
        (tables.number(EPOCH).await.ok()? > worker.epoch).then_some(())
    })
    .await?;
    let took = frozen.elapsed();
    until_handled(address, said.len()).await?;
    program::signal(worker.pid, "CONT").await;
    // What the frozen one still holds it would commit before it handles this.
    publish(&wire, 200, (random, said)).await;
    until_handled(address, said.len()).await?;
    until_it_stands_by(address).await?;
    Ok(took)
}

/// Freezes whoever holds the lease at random moments until it is one at which the worker has events
/// that it was given and did not handle, and has no transaction open: what an open one holds,
/// PostgreSQL itself ends. A lease that passed to the other before the freeze, its holder being too
/// slow to renew it, is not the one to be taken over: then it is tried again.
async fn freeze_with_events(
    wire: &Wire,
    workers: &Workers,
    (random, said): (&mut StdRng, &mut Vec<Uuid>),
) -> anyhow::Result<Active> {
    for _ in 0..TRIES {
        publish(wire, 300, (random, said)).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..20))).await;
        let worker = workers.active().await?;
        program::signal(worker.pid, "STOP").await;
        let ready = holds_events_only(wire, &workers.address).await?;
        if ready && workers.active().await? == worker {
            return Ok(worker);
        }
        program::signal(worker.pid, "CONT").await;
    }
    anyhow::bail!("the worker was never found between two transactions with events in its hands")
}

/// Whether the worker, which is frozen, was given more than it handled and is in no transaction.
async fn holds_events_only(wire: &Wire, address: &str) -> anyhow::Result<bool> {
    // What the database was asked before the freeze it still does.
    until("the database is done", PATIENCE, async || {
        let mut tables = Tables::postgres(address, "statistics").await.ok()?;
        (tables.number(AT_WORK).await.ok()? == 0).then_some(())
    })
    .await?;
    let mut tables = Tables::postgres(address, "statistics").await?;
    let in_transaction = tables.number(IN_TRANSACTION).await?;
    let handled = tables.number("SELECT count(*) FROM tick").await?;
    let stream = wire.jetstream().get_stream("TICK").await?;
    let mut consumer: PullConsumer = stream
        .get_consumer("statistics")
        .await
        .map_err(|error| anyhow::anyhow!("the consumer on TICK is not there: {error}"))?;
    let delivered = consumer.info().await?.delivered.stream_sequence;
    Ok(in_transaction == 0 && delivered > handled.unsigned_abs())
}

/// Publishes so many ticks of one user.
async fn publish(wire: &Wire, many: usize, (random, said): (&mut StdRng, &mut Vec<Uuid>)) {
    let user = random_id(random);
    let ids: Vec<Uuid> = (0..many).map(|_| random_id(random)).collect();
    publish_all(wire, ids.iter().map(|id| tick(*id, user)).collect()).await;
    said.extend(ids);
}

async fn until_handled(address: &str, many: usize) -> anyhow::Result<()> {
    let wanted = i64::try_from(many)?;
    until("the backlog is handled", PATIENCE, async || {
        let mut tables = Tables::postgres(address, "statistics").await.ok()?;
        let there = tables.number("SELECT count(*) FROM tick").await.ok()?;
        (there >= wanted).then_some(())
    })
    .await?;
    Ok(())
}

/// The thawed one has asked for the lease again, and so has ended what it was at: the lease was
/// renewed twice by its holder meanwhile.
async fn until_it_stands_by(address: &str) -> anyhow::Result<()> {
    let held_until = "SELECT max(leased_until) FROM lease";
    for _ in 0..3 {
        let before = Tables::postgres(address, "statistics")
            .await?
            .number(held_until)
            .await?;
        until("the lease is renewed", PATIENCE, async || {
            let mut tables = Tables::postgres(address, "statistics").await.ok()?;
            (tables.number(held_until).await.ok()? > before).then_some(())
        })
        .await?;
    }
    Ok(())
}
