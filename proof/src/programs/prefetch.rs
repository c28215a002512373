//! Workers that die, stop or freeze with hundreds of fetched messages in their hands.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Setting, seconds};
use crate::checker::compare;
use crate::events::{publish_all, tick};
use crate::load::random_id;
use crate::log::Operations;
use crate::places::{account, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

const WORKERS: [&str; 2] = ["statistics", "notifier"];
const STATISTICS: &str = "SELECT id FROM tick WHERE stands";
const PATIENCE: Duration = Duration::from_mins(2);
/// So soon the next worker must have what the one before gave back.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(1);
/// So soon a worker has fetched what there is.
const HELD_WITHIN: Duration = Duration::from_secs(20);
/// So many must be fetched and not handled.
const PREFETCHED: usize = 200;

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let mut world = World::start(&setting, &Plan::only(&WORKERS)).await?;
    let mut outcome = Outcome::default();
    let mut feed = Feed {
        random: StdRng::seed_from_u64(setting.seed),
        said: Vec::new(),
    };
    crashes(&setting, &mut world, &mut feed, &mut outcome).await?;
    if let Err(error) = stops_gracefully(&mut world, &mut feed, &mut outcome).await {
        outcome.problems.push(format!("{error:#}"));
    }
    world.begin_all().await;
    everything_once(&world, &feed, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Publishes ticks of a few users and remembers them.
struct Feed {
    random: StdRng,
    said: Vec<Uuid>,
}

impl Feed {
    async fn publish(&mut self, world: &World, many: usize) {
        let users: Vec<Uuid> = (0..20).map(|_| random_id(&mut self.random)).collect();
        let ids: Vec<Uuid> = (0..many).map(|_| random_id(&mut self.random)).collect();
        let events = ids.iter().zip(users.iter().cycle());
        let events = events.map(|(id, user)| tick(*id, *user)).collect();
        publish_all(&world.wire().await, events).await;
        self.said.extend(ids);
    }
}

async fn crashes(
    setting: &Setting,
    world: &mut World,
    feed: &mut Feed,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let rounds = setting.size.pick(3, 10, 100);
    let mut with_many = 0;
    for round in 0..rounds {
        // A projection waits for the lease of the one that was killed: not in each round.
        let awaited = WORKERS[usize::from(round % 3 > 0)];
        world.kill_all().await;
        feed.publish(world, 3_000).await;
        let before = taken(world, awaited).await?;
        world.begin_all().await;
        until("the backlog is begun", PATIENCE, async || {
            (taken(world, awaited).await.ok()? > before).then_some(())
        })
        .await?;
        let moment = Duration::from_millis(feed.random.random_range(0..60));
        tokio::time::sleep(moment).await;
        world.kill_all().await;
        let mut held = 0;
        for worker in WORKERS {
            held = held.max(consumer(world, worker).await?.cached_info().num_ack_pending);
        }
        with_many += usize::from(held >= PREFETCHED);
    }
    world.begin_all().await;
    let killed = rounds * WORKERS.len();
    outcome.did(format!(
        "{killed} workers killed, {with_many} times with {PREFETCHED}+ unsettled"
    ));
    Ok(())
}

/// How many events a worker has taken so far.
async fn taken(world: &World, worker: &str) -> anyhow::Result<i64> {
    let taken = "SELECT COALESCE(sum(offered), 0) FROM progress";
    world.tables(worker).await?.number(taken).await
}

/// SIGTERM while hundreds wait behind one batch: whoever is next gets them at once.
async fn stops_gracefully(
    world: &mut World,
    feed: &mut Feed,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    settled(world, feed.said.len()).await?;
    let mut lock = world.tables_to_write("notifier").await?;
    lock.execute("BEGIN IMMEDIATE").await?;
    // The first few are being handled, and wait for the database; the others are only held.
    feed.publish(world, 5).await;
    let held = async |many: usize| {
        let consumer = consumer(world, "notifier").await.ok()?;
        (consumer.cached_info().num_ack_pending >= many).then_some(())
    };
    until("a batch is being handled", HELD_WITHIN, async || {
        held(5).await
    })
    .await?;
    // What is being handled may fail, and come again for that.
    let handling = feed.said.len() as u64;
    feed.publish(world, 1_000).await;
    until("hundreds are held", HELD_WITHIN, async || {
        held(PREFETCHED).await
    })
    .await?;
    let asked = Instant::now();
    world.ask_to_stop("notifier").await;
    // It goes on for a while, so that others take over; what it can handle until then it does not hold any more.
    until("requests are taken no more", HELD_WITHIN, async || {
        let taken = TcpStream::connect(world.address("notifier")).await;
        taken.is_err().then_some(())
    })
    .await?;
    lock.execute("ROLLBACK").await?;
    world.ended("notifier").await;
    let ended = Instant::now();
    let first = first_again(&consumer(world, "notifier").await?, handling, ended).await?;
    outcome.did(format!(
        "stopped {} after SIGTERM, the next worker had the first in {}",
        seconds(ended - asked),
        seconds(first)
    ));
    outcome.demand(first < GIVEN_BACK_WITHIN, || {
        format!("what was held came again after {}", seconds(first))
    });
    world.begin("notifier").await;
    Ok(())
}

/// Pulls as the next worker does until a message comes that was held before, and gives all back.
async fn first_again(
    consumer: &PullConsumer,
    handling: u64,
    ended: Instant,
) -> anyhow::Result<Duration> {
    // What we have given back ourselves tells nothing.
    let mut seen = HashSet::new();
    while ended.elapsed() < PATIENCE {
        let pull = consumer.fetch().max_messages(100);
        let pull = pull.expires(Duration::from_secs(1));
        let mut messages = pull.messages().await?;
        let mut first = None;
        // To its end: what a broken-off pull had asked for would be missing for a while.
        while let Some(message) = messages.next().await {
            let message = message.map_err(|error| anyhow::anyhow!("{error}"))?;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            let is_ours = !seen.insert(info.stream_sequence);
            let was_held = info.delivered > 1 && !is_ours && info.stream_sequence > handling;
            if was_held && first.is_none() {
                first = Some(ended.elapsed());
            }
            let given_back = message.ack_with(AckKind::Nak(None)).await;
            given_back.map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        if let Some(first) = first {
            return Ok(first);
        }
    }
    Ok(PATIENCE)
}

async fn consumer(world: &World, name: &str) -> anyhow::Result<PullConsumer> {
    let wire = world.wire().await;
    let consumer = wire
        .jetstream()
        .get_consumer_from_stream(name, "TICK")
        .await;
    consumer.map_err(|error| anyhow::anyhow!("{error}"))
}

async fn settled(world: &World, many: usize) -> anyhow::Result<()> {
    let wanted = i64::try_from(many)?;
    for (worker, query) in [
        ("statistics", "SELECT count(*) FROM tick"),
        ("notifier", "SELECT count(*) FROM image_owner"),
    ] {
        // What is lost is reported by the comparison.
        let _ = until(
            "everything is handled",
            // What a killed worker held comes again after thirty seconds.
            Duration::from_secs(45),
            async || {
                let there = world.tables(worker).await.ok()?.number(query).await.ok()?;
                (there >= wanted).then_some(())
            },
        )
        .await;
    }
    Ok(())
}

async fn everything_once(world: &World, feed: &Feed, outcome: &mut Outcome) -> anyhow::Result<()> {
    settled(world, feed.said.len()).await?;
    let said = Operations::accepted(feed.said.iter().copied());
    let mut statistics = world.tables("statistics").await?;
    outcome.compared(
        "Statistics",
        compare(&said, statistics.ids(STATISTICS).await?),
    );
    let image_of = |id: &Uuid| (Uuid::new_v5(id, b"image"), *id);
    let ticks: HashMap<Uuid, Uuid> = feed.said.iter().map(image_of).collect();
    let mut notifier = world.tables("notifier").await?;
    let images = notifier.ids("SELECT image_id FROM image_owner").await?;
    let named = images
        .into_iter()
        .map(|image| ticks.get(&image).copied().unwrap_or(image));
    outcome.compared("Notifier", compare(&said, named));
    account(world, &WORKERS, outcome).await?;
    let handled = "SELECT event_id, handled_at FROM inbox";
    let handled: HashMap<Uuid, i64> = statistics.numbered(handled).await?.into_iter().collect();
    let stored = world.wire().await.read("TICK").await;
    let times: Vec<i64> = stored
        .iter()
        .filter_map(|one| handled.get(&one.id()?).copied())
        .collect();
    outcome.demand(times.is_sorted(), || {
        "Statistics left the stream's order".to_owned()
    });
    Ok(())
}
