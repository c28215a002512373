//! Consuming: how fast Statistics takes in events, and takes them in again, beside what the client
//! library alone can pull in the same run. `cargo bench -p dipper --bench consume`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking and prints its results"
)]

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, OrderedPullConsumer, PullConsumer, pull};
use chassis::bus::Bus;
use chassis::bus::streams::{self, OnDrift, StreamSettings};
use chassis::clock::Clock;
use chassis::nats_server::NatsServer;
use envelope::{EventId, ImageId, ImageUrl, Metadata, OwnedImageRef, Rating, UserId, rate, seal};
use futures::{StreamExt as _, stream};
use sqlx::SqlitePool;
use testkit::broker::{TESTER, permissions};
use testkit::{Launch, Running, cpu_time, eventually};
use uuid::Uuid;

const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");
const USERS: usize = 2_000;
const IN_FLIGHT: usize = 256;
/// What issue and design aim at, as parts of the raw rates.
const AIM_CONSUMING: f64 = 0.6;
const AIM_REPLAYING: f64 = 0.45;

fn main() {
    let events = std::env::var("DIPPER_TEST_EVENTS").map_or(200_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare(events));
}

async fn compare(events: usize) {
    println!(
        "{events} ratings by {USERS} users, on {} cores",
        std::thread::available_parallelism().unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    let nats = folder.path().join("nats");
    let broker = NatsServer::start(&testkit::nats_server(), &nats, &permissions())
        .await
        .unwrap();
    let access = broker.credentials().access(TESTER);
    let bus = Bus::connect(&access, TESTER).await.unwrap();
    let settings = StreamSettings {
        duplicate_window: Duration::from_mins(2),
        ..StreamSettings::default()
    };
    streams::ensure(&bus, &settings, OnDrift::Update)
        .await
        .unwrap();
    tell("published, one by one", publish(&bus, events).await);
    let explicit = raw_explicit(&bus, events).await;
    tell("raw pull, explicit acknowledgement", explicit);
    let ordered = raw_ordered(&bus, events).await;
    tell("raw pull, ordered", ordered);

    let data = folder.path().to_string_lossy().into_owned();
    let running = serve(&data).await;
    let database = open(&data).await;
    let consumed = taken(&database, events, 0).await;
    tell("Statistics, first time", consumed);
    tell_cost(&running, events);
    running.stop().await;
    rewind(&database).await;
    let before = offered(&database).await;
    let running = serve(&data).await;
    let replayed = taken(&database, events, before).await;
    tell("Statistics, once more", replayed);
    tell_cost(&running, events);
    running.stop().await;
    database.close().await;
    println!(
        "first time {:.2} of the explicit pull (aim {AIM_CONSUMING}), once more {:.2} of the ordered one (aim {AIM_REPLAYING})",
        consumed / explicit,
        replayed / ordered
    );
    broker.stop().await.unwrap();
}

fn tell(what: &str, rate: f64) {
    println!("{what:<36} {rate:>9.0} events/s");
}

fn tell_cost(running: &Running, events: usize) {
    let cost = cpu_time(running.pid()) / u32::try_from(events).unwrap();
    println!(
        "{:<36} {:>9} us of processor time an event",
        "",
        cost.as_micros()
    );
}

async fn publish(bus: &Bus, events: usize) -> f64 {
    let users: Vec<UserId> = (0..USERS).map(|_| UserId(Uuid::new_v4())).collect();
    let clock = Clock::default();
    let began = Instant::now();
    let all = (0..events).map(|number| {
        let event = rate::Update {
            user: (*users.get(number % USERS).unwrap()).into(),
            image: OwnedImageRef {
                url: ImageUrl::new("", ImageId(Uuid::new_v4())),
                owner: *users.get((number + 1) % USERS).unwrap(),
            },
            rating: Rating::MAX,
        };
        let metadata = Metadata::new("services/TickAPI", clock.now());
        let sealed = seal(EventId(Uuid::now_v7()), metadata, &event).unwrap();
        async move {
            bus.publish(sealed.subject, &sealed.message_id, sealed.body.into())
                .await
                .unwrap();
        }
    });
    stream::iter(all)
        .buffer_unordered(IN_FLIGHT)
        .collect::<Vec<()>>()
        .await;
    events as f64 / began.elapsed().as_secs_f64()
}

async fn raw_explicit(bus: &Bus, events: usize) -> f64 {
    let config = pull::Config {
        durable_name: Some("raw".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: 4096,
        ..pull::Config::default()
    };
    let jetstream = bus.jetstream();
    let consumer: PullConsumer = jetstream
        .create_consumer_on_stream(config, "RATE")
        .await
        .unwrap();
    let began = Instant::now();
    let messages = consumer.stream().max_messages_per_batch(512).messages();
    let mut messages = messages.await.unwrap().take(events);
    while let Some(message) = messages.next().await {
        message.unwrap().ack().await.unwrap();
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    jetstream
        .delete_consumer_from_stream("raw", "RATE")
        .await
        .unwrap();
    rate
}

async fn raw_ordered(bus: &Bus, events: usize) -> f64 {
    let stream = bus.jetstream().get_stream("RATE").await.unwrap();
    let config = pull::OrderedConfig::default();
    let consumer: OrderedPullConsumer = stream.create_consumer(config).await.unwrap();
    let began = Instant::now();
    let mut messages = consumer.messages().await.unwrap().take(events);
    while let Some(message) = messages.next().await {
        message.unwrap();
    }
    events as f64 / began.elapsed().as_secs_f64()
}

async fn serve(data: &str) -> Running {
    let arguments = [
        "serve",
        "statistics",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data,
    ];
    Launch::new(DIPPER, &arguments)
        .env(
            "DIPPER_NATS_CREDENTIALS",
            &format!("{data}/nats/credentials.json"),
        )
        .env("DIPPER_LOG", "error")
        .start()
        .await
}

/// How many events Statistics was offered, as it committed it with their effects.
async fn offered(database: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT COALESCE(SUM(offered), 0) FROM progress WHERE stream = 'RATE'")
        .fetch_one(database)
        .await
        .unwrap()
}

/// The rate from the first commit that is seen to the last.
async fn taken(database: &SqlitePool, events: usize, before: i64) -> f64 {
    let (began, first) = eventually("the first events are taken", || async {
        let taken = offered(database).await - before;
        (taken > 0).then(|| (Instant::now(), taken))
    })
    .await;
    let wanted = i64::try_from(events).unwrap();
    loop {
        let taken = offered(database).await - before;
        if taken >= wanted {
            return (wanted - first) as f64 / began.elapsed().as_secs_f64();
        }
        assert!(
            began.elapsed() < Duration::from_mins(5),
            "{taken} of {wanted} after five minutes"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Statistics' own database.
async fn open(data: &str) -> SqlitePool {
    let file = format!("{data}/db/statistics.db");
    eventually("the database is there", || async {
        SqlitePool::connect(&file).await.ok()
    })
    .await
}

/// Sets the checkpoint back to the beginning: every event comes again.
async fn rewind(database: &SqlitePool) {
    sqlx::query("UPDATE progress SET checkpoint = 0, checkpoint_time = 0")
        .execute(database)
        .await
        .unwrap();
}
