//! Events that cannot be handled: who waits behind them, who does not, and what a repair brings.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use testkit::{Postgres, create_admin};
use tokio::time::Instant;
use uuid::Uuid;

use super::Setting;
use crate::checker::compare;
use crate::events::{publish_all, tick, unreadable_tick};
use crate::load::random_id;
use crate::log::Operations;
use crate::places::{account, median, p99, replay, until};
use crate::report::Outcome;
use crate::tables::Tables;
use crate::world::{Plan, World};

const PATIENCE: Duration = Duration::from_mins(2);
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "she keeps the ringing book";
/// Other people's latency may change by so much, or by what one flush more or less makes.
const MOST_CHANGE: f64 = 0.1;
const MEASURED_TO: Duration = Duration::from_millis(5);
const PARKED: &str = "SELECT count(*) FROM parked WHERE stream = 'TICK'";
/// Consumers of ticks that keep what became of each.
const READERS: [&str; 3] = ["statistics", "notifier", "user-api"];

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    // A statement that fails for its value is poison on PostgreSQL only: so a mistake can be
    // planted from outside, and be repaired.
    let postgres = Postgres::start().await;
    let plan = Plan {
        database_url: Some(postgres.url()),
        ..Plan::together()
    };
    let mut world = World::start(&setting, &plan).await?;
    let mut outcome = Outcome::default();
    let mut random = StdRng::seed_from_u64(setting.seed);
    one_poison_event(&setting, &world, &mut random, &mut outcome).await?;
    many_bad_events(&setting, &world, &mut random, &mut outcome).await?;
    account(&world, &["statistics", "notifier"], &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

async fn one_poison_event(
    setting: &Setting,
    world: &World,
    random: &mut StdRng,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let user = random_id(random);
    let ids: Vec<Uuid> = (0..40).map(|_| random_id(random)).collect();
    let (first, later) = (ids.first().copied().unwrap_or_default(), ids.len() - 1);
    let mut tables = world.tables("statistics").await?;
    tables.execute(&plant(first)).await?;
    publish_all(
        &world.wire().await,
        ids.iter().map(|id| tick(*id, user)).collect(),
    )
    .await;
    let waiting = until("A's events wait", Duration::from_secs(15), async || {
        let mut tables = world.tables("statistics").await.ok()?;
        let parked = tables.number(PARKED).await.ok()?;
        (parked == 40).then_some(())
    });
    let waiting = waiting.await.is_ok();
    let of_user = format!("SELECT count(*) FROM tick WHERE user_id = '{user}'");
    let early = tables.number(&of_user).await?;
    outcome.demand(waiting && early == 0, || {
        format!("{early} of {later} later events did not wait behind the poison")
    });
    others_go_on(setting, world, (random, user), outcome).await?;
    tables.execute("DROP TRIGGER poison ON tick").await?;
    create_admin(
        &setting.binary.to_string_lossy(),
        world.folder(),
        EMAIL,
        PASSWORD,
    )
    .await;
    let admin = world
        .api
        .log_in(EMAIL.to_owned(), PASSWORD.to_owned())
        .await;
    replay(&world.api, &admin, "statistics").await?;
    repaired(world, user, &ids, outcome).await
}

/// After the repair A's rows are those of a run without a mistake.
async fn repaired(
    world: &World,
    user: Uuid,
    ids: &[Uuid],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let mine = format!("SELECT id FROM tick WHERE stands AND user_id = '{user}'");
    // All that piled up meanwhile too: the rest of the program counts rows.
    let _ = until("A's events are handled", PATIENCE, async || {
        let mut tables = world.tables("statistics").await.ok()?;
        (tables.number(PARKED).await.ok()? == 0).then_some(())
    })
    .await;
    let mut tables = world.tables("statistics").await?;
    let ours = Operations::accepted(ids.iter().copied());
    let there = tables
        .ids(&mine)
        .await?
        .into_iter()
        .filter(|id| ids.contains(id));
    outcome.compared("A's rows after the repair", compare(&ours, there));
    let handled = tables
        .numbered("SELECT event_id, handled_at FROM inbox")
        .await?;
    let handled: HashMap<Uuid, i64> = handled.into_iter().collect();
    let times: Vec<i64> = ids
        .iter()
        .filter_map(|id| handled.get(id).copied())
        .collect();
    outcome.demand(times.is_sorted(), || {
        "A's events were handled out of order".to_owned()
    });
    Ok(())
}

/// A mistake in a table: it refuses one tick.
fn plant(id: Uuid) -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
             IF NEW.id = '{id}' THEN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END IF;
             RETURN NEW;
         END $$ LANGUAGE plpgsql;
         CREATE TRIGGER poison BEFORE INSERT ON tick FOR EACH ROW EXECUTE FUNCTION refuse();"
    )
}

/// How long other people's ticks take beside the events of somebody whose are handled, and beside
/// those of A, which pile up. Machines are noisy: what is compared lies side by side in time, takes
/// turns at being first, and of many such pairs the middle one counts.
async fn others_go_on(
    setting: &Setting,
    world: &World,
    (random, poisoned): (&mut StdRng, Uuid),
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let rounds = setting.size.pick(0, 21, 41);
    let (mut sound, mut piling, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let somebody = random_id(random);
        let (before, after);
        if round % 2 == 0 {
            before = p99(beside(world, random, somebody).await?);
            after = p99(beside(world, random, poisoned).await?);
        } else {
            after = p99(beside(world, random, poisoned).await?);
            before = p99(beside(world, random, somebody).await?);
        }
        sound.push(before);
        piling.push(after);
        changes.push(after.as_secs_f64() / before.as_secs_f64() - 1.0);
    }
    if rounds > 0 {
        changes.sort_unstable_by(f64::total_cmp);
        let change = changes.get(changes.len() / 2).copied().unwrap_or_default();
        let (before, after) = (median(sound), median(piling));
        outcome.did(format!(
            "others' p99 {before:.1?}, beside the poison {after:.1?}: in the middle of {rounds} pairs {:+.1} %",
            change * 100.0
        ));
        let least_measured = MEASURED_TO.as_secs_f64() / before.as_secs_f64();
        outcome.demand(change <= MOST_CHANGE.max(least_measured), || {
            format!("others' p99 changed by {:+.1} %", change * 100.0)
        });
    }
    Ok(())
}

/// How long other people's ticks take while a user ticks a hundred times a second.
async fn beside(world: &World, random: &mut StdRng, user: Uuid) -> anyhow::Result<Vec<Duration>> {
    let ids: Vec<Uuid> = (0..100).map(|_| random_id(random)).collect();
    let wire = world.wire().await;
    let busy = tokio::spawn(async move {
        for id in ids {
            publish_all(&wire, vec![tick(id, user)]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let took = latencies(world, random).await?;
    busy.await?;
    Ok(took)
}

/// From publishing to the row in Statistics, by a few people side by side.
async fn latencies(world: &World, random: &mut StdRng) -> anyhow::Result<Vec<Duration>> {
    let people = (0..4).map(|_| {
        let ids: Vec<Uuid> = (0..40).map(|_| random_id(random)).collect();
        async move {
            let wire = world.wire().await;
            let mut tables = world.tables("statistics").await?;
            let mut took = Vec::with_capacity(ids.len());
            for id in ids {
                took.push(latency(&wire, &mut tables, id).await?);
            }
            anyhow::Ok(took)
        }
    });
    let all: Result<Vec<_>, _> = join_all(people).await.into_iter().collect();
    Ok(all?.concat())
}

async fn latency(wire: &testkit::Wire, tables: &mut Tables, id: Uuid) -> anyhow::Result<Duration> {
    let query = format!("SELECT count(*) FROM tick WHERE id = '{id}'");
    let began = Instant::now();
    publish_all(wire, vec![tick(id, id)]).await;
    while tables.number(&query).await? == 0 {
        anyhow::ensure!(
            began.elapsed() < PATIENCE,
            "a tick of others is not handled"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(began.elapsed())
}

async fn many_bad_events(
    setting: &Setting,
    world: &World,
    random: &mut StdRng,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let good = setting.size.pick(250, 5_000, 50_000);
    let users: Vec<Uuid> = (0..50).map(|_| random_id(random)).collect();
    let (mut said, mut broken, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for (number, user) in (0..good).zip(users.iter().cycle()) {
        let id = random_id(random);
        said.push(id);
        events.push(tick(id, *user));
        if number % 5 == 0 {
            let id = random_id(random);
            broken.push(id);
            events.push(unreadable_tick(id, *user));
        }
    }
    let before = world
        .tables("statistics")
        .await?
        .number("SELECT count(*) FROM tick")
        .await?;
    publish_all(&world.wire().await, events).await;
    let wanted = before + i64::from(good);
    let handled = until("the good ones are handled", PATIENCE, async || {
        let mut tables = world.tables("statistics").await.ok()?;
        (tables.number("SELECT count(*) FROM tick").await.ok()? >= wanted).then_some(())
    });
    let _ = handled.await;
    let there = world
        .tables("statistics")
        .await?
        .ids("SELECT id FROM tick WHERE stands")
        .await?;
    let all = Operations::accepted(said.iter().copied());
    let there = there.into_iter().filter(|id| all.accepted.contains(id));
    outcome.compared("good events among bad", compare(&all, there));
    outcome.did(format!("{} bad events among {good}", broken.len()));
    dead_with_a_reason(world, &broken, outcome).await
}

async fn dead_with_a_reason(
    world: &World,
    broken: &[Uuid],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let wire = world.wire().await;
    let bad = Operations::accepted(broken.iter().copied());
    let enough = u64::try_from(broken.len() * (READERS.len() + 1))?;
    let _ = until(
        "all bad ones are dead",
        Duration::from_secs(30),
        async || (wire.count("DEAD").await >= enough).then_some(()),
    )
    .await;
    let dead = wire.read("DEAD").await;
    for reader in READERS.iter().chain(&["score-model"]) {
        let given_up = dead.iter().filter(|letter| {
            let header = |name: &str| letter.headers.get(name).map(ToString::to_string);
            let has_reason = header("Dipper-Reason").is_some_and(|reason| !reason.is_empty());
            has_reason && header("Dipper-Consumer").as_deref() == Some(reader)
        });
        let ids = given_up.filter_map(testkit::wire::Stored::id);
        let ids = ids.filter(|id| bad.accepted.contains(id));
        outcome.compared(&format!("dead letters of {reader}"), compare(&bad, ids));
    }
    Ok(())
}
