//! How long it takes until the statistics show a tick, from the moment at which its birder sends
//! it: when nothing else goes on, and with 200 ticks a second. `cargo bench -p dipper --bench visible`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking and prints its results"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Api, Birder, Launch, PHOTO};

const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");
const IDLE_TICKS: usize = 100;
const BUSY_TICKS: usize = 4_000;
const TICKS_PER_SECOND: u64 = 200;
/// How long nobody looks after a look: looking all the time would take the processors from what is
/// measured.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// What is aimed at.
const AIM_IDLE: Duration = Duration::from_millis(20);
const AIM_BUSY: Duration = Duration::from_millis(100);

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path())
        .env("DIPPER_LOG", "error")
        .start()
        .await;
    let api = Api::new(&running.url);
    let birder = api.join("Olga").await;
    let (_, image) = api.upload(&birder, PHOTO).await;
    let somebody = Arc::new((api, birder, image));
    // What is cold at first is no part of it.
    one_by_one(&somebody, 10).await;

    println!("from the request to the figure, in milliseconds   p50    p99    max");
    let idle = one_by_one(&somebody, IDLE_TICKS).await;
    tell("one tick at a time", idle, AIM_IDLE);
    let busy = steadily(&somebody, BUSY_TICKS).await;
    tell("200 ticks a second", busy, AIM_BUSY);
    running.stop().await;
}

fn tell(what: &str, mut waits: Vec<Duration>, aim: Duration) {
    waits.sort_unstable();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "{what:<46} {:>6.1} {:>6.1} {:>6.1}   (aim: p99 under {} ms)",
        at(50),
        at(99),
        at(100),
        aim.as_millis()
    );
}

type Somebody = (Api, Birder, String);

async fn tick(somebody: &Somebody) {
    let (api, birder, image) = somebody;
    let body = json!({"image": {"url": image}});
    api.post_as(birder, "/api/v1/ticks", &body)
        .await
        .expect(201);
}

/// How many ticks the statistics show.
async fn shown(somebody: &Somebody) -> usize {
    tokio::time::sleep(LOOK_EVERY).await;
    let figures = somebody.0.figures().await;
    usize::try_from(figures["ticks"].as_u64().unwrap()).unwrap()
}

async fn one_by_one(somebody: &Somebody, many: usize) -> Vec<Duration> {
    let before = shown(somebody).await;
    let mut waits = Vec::with_capacity(many);
    for number in 1..=many {
        let sent = Instant::now();
        tick(somebody).await;
        while shown(somebody).await < before + number {}
        waits.push(sent.elapsed());
    }
    waits
}

/// Ticks at equal distances. They may be counted in another order than they were sent; then the
/// waits of two are exchanged, which changes no percentile by more than that.
async fn steadily(somebody: &Arc<Somebody>, many: usize) -> Vec<Duration> {
    let before = shown(somebody).await;
    let began = Instant::now();
    let distance = Duration::from_secs(1) / u32::try_from(TICKS_PER_SECOND).unwrap();
    let due = move |number: usize| began + distance * u32::try_from(number).unwrap();
    let sending = tokio::spawn({
        let somebody = Arc::clone(somebody);
        async move {
            let mut sent = tokio::task::JoinSet::new();
            for number in 0..many {
                tokio::time::sleep_until(due(number).into()).await;
                let somebody = Arc::clone(&somebody);
                sent.spawn(async move { tick(&somebody).await });
            }
            sent.join_all().await;
        }
    });
    let mut waits = Vec::with_capacity(many);
    while waits.len() < many {
        let seen = shown(somebody).await - before;
        let now = Instant::now();
        waits.extend((waits.len()..seen).map(|number| now.saturating_duration_since(due(number))));
    }
    sending.await.unwrap();
    waits
}
