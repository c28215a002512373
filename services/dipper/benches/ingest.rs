//! Ingest: how many ticks a second are accepted, beside a bare handler that only parses, checks a
//! token and validates, in the same run. `cargo bench -p dipper --bench ingest`
//!
//! 64 connections, one request in flight on each. Everything shares this machine: the load
//! generator too. Processor time is read from `/proc`, so that the cost of the server and of the
//! broker, until it has all events, can be told from the generator's.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking and prints its results"
)]

#[path = "shared/load.rs"]
mod load;

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::routing::post;
use axum::{Json, Router};
use chassis::nats_server::NatsServer;
use load::{Connection, Latencies};
use serde_json::{Value, json};
use testkit::broker::permissions;
use testkit::{Api, Birder, Launch, PHOTO, Wire, cpu_time, eventually};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use uuid::Uuid;

const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");
const CONNECTIONS: usize = 64;
const BIRDERS: usize = 16;
const BARE: &str = "--bare-handler";
const TOKEN: &str = "the only one that the bare handler knows";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::args().any(|argument| argument == BARE) {
        runtime.block_on(bare_handler());
        return;
    }
    let requests =
        std::env::var("DIPPER_TEST_REQUESTS").map_or(50_000, |text| text.parse().unwrap());
    runtime.block_on(compare(requests));
}

async fn compare(requests: usize) {
    println!(
        "{requests} ticks over {CONNECTIONS} connections, on {} cores",
        std::thread::available_parallelism().unwrap()
    );
    println!(
        "{:<28} {:>10} {:>9} {:>9} {:>12} {:>12} {:>9}",
        "", "requests/s", "p50 ms", "p99 ms", "CPU us each", "with broker", "stored"
    );
    let bare_before = bare(requests).await;
    let alone = tick_api_alone(requests).await;
    let bare_after = bare(requests).await;
    // All services on the same cores do some twenty times the work of the ingest.
    let full = everything(requests / 5).await;
    let bare = f64::midpoint(bare_before, bare_after);
    println!(
        "of the bare handler's rate (mean of before and after): TickAPI {:.2}, all services {:.2}",
        alone / bare,
        full / bare
    );
}

/// TickAPI as a process of its own, as it is deployed, with its database and a broker; the others
/// are elsewhere. Tokens are trusted, since AuthAPI is elsewhere too.
async fn tick_api_alone(requests: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let broker = NatsServer::start(
        &testkit::nats_server(),
        &folder.path().join("nats"),
        &permissions(),
    )
    .await
    .unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let running = Launch::new(
        DIPPER,
        &[
            "serve",
            "tick-api",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &data,
        ],
    )
    .env(
        "DIPPER_NATS_CREDENTIALS",
        &format!("{data}/nats/credentials.json"),
    )
    .env("DIPPER_AUTH_MODE", "trust")
    .env("DIPPER_LOG", "error")
    .start()
    .await;
    let anybody = |number: usize| Birder {
        id: Uuid::nil(),
        email: String::new(),
        password: String::new(),
        token: format!("birder {number}"),
    };
    let target = target(&running.url, (0..BIRDERS).map(anybody).collect()).await;
    let wire = Wire::connect(folder.path(), "operator").await;
    let processes = Processes {
        server: running.pid(),
        broker: broker.pid(),
    };
    let rate = load(
        "dipper serve tick-api",
        &target,
        processes,
        requests,
        Some(&wire),
    )
    .await;
    assert_eq!(running.stop().await, Some(0));
    broker.stop().await.unwrap();
    rate
}

/// Everything in one process, all of it on these cores.
async fn everything(requests: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path())
        .env("DIPPER_LOG", "error")
        .start()
        .await;
    let rate = ticks(
        "dipper up, all services",
        &running.url,
        running.pid(),
        requests,
        &folder,
    )
    .await;
    assert_eq!(running.stop().await, Some(0));
    rate
}

/// The bare handler runs in a process of its own, as the program does.
async fn bare(requests: usize) -> f64 {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .arg(BARE)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().expect("an address");
    let target = Target {
        address,
        birders: vec![(TOKEN.to_owned(), format!("/images/{}", Uuid::new_v4()))],
    };
    let processes = Processes {
        server: child.id().unwrap(),
        broker: None,
    };
    let rate = load("bare handler", &target, processes, requests, None).await;
    child.kill().await.unwrap();
    rate
}

/// Parses, checks the token and validates as the real one does, and forgets.
async fn bare_handler() {
    async fn tick(
        State(known): State<Arc<HashSet<String>>>,
        headers: HeaderMap,
        Json(body): Json<Value>,
    ) -> Result<(axum::http::StatusCode, Json<Value>), axum::http::StatusCode> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| known.contains(&clients::caller::token_hash(token))) {
            return Err(axum::http::StatusCode::UNAUTHORIZED);
        }
        let refused = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        let id: Uuid = body["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .ok_or(refused)?;
        let url: envelope::ImageUrl =
            serde_json::from_value(body["image"]["url"].clone()).map_err(|_| refused)?;
        let count = body["count"]
            .as_u64()
            .filter(|count| (1..=100_000).contains(count))
            .ok_or(refused)?;
        Ok((
            axum::http::StatusCode::CREATED,
            Json(json!({"id": id, "image": {"url": url}, "count": count})),
        ))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let known = Arc::new(HashSet::from([clients::caller::token_hash(TOKEN)]));
    let router = Router::new()
        .route("/api/v1/ticks", post(tick))
        .with_state(known);
    axum::serve(listener, router).await.unwrap();
}

async fn ticks(
    name: &str,
    url: &str,
    pid: u32,
    requests: usize,
    folder: &tempfile::TempDir,
) -> f64 {
    let api = Api::new(url);
    let mut birders = Vec::with_capacity(BIRDERS);
    for number in 0..BIRDERS {
        birders.push(api.join(&format!("Birder{number}")).await);
    }
    let target = target(url, birders).await;
    let wire = Wire::connect(folder.path(), "operator").await;
    let written = std::fs::read_to_string(folder.path().join("nats/nats-server.pid")).unwrap();
    let processes = Processes {
        server: pid,
        broker: Some(written.trim().parse().unwrap()),
    };
    let began = Instant::now();
    let rate = load(name, &target, processes, requests, Some(&wire)).await;
    eventually("all ticks are counted", || async {
        (api.figures().await["ticks"] == requests).then_some(())
    })
    .await;
    println!(
        "{:<28} {:>10.0} ticks/s from the first request until the statistics show all",
        "",
        requests as f64 / began.elapsed().as_secs_f64()
    );
    rate
}

struct Target {
    address: String,
    /// Tokens and images. Events of one birder are published one after the other.
    birders: Vec<(String, String)>,
}

/// Each birder uploads an image.
async fn target(url: &str, birders: Vec<Birder>) -> Target {
    let api = Api::new(url);
    let mut with_images = Vec::with_capacity(birders.len());
    for birder in birders {
        let (_, image) = api.upload(&birder, PHOTO).await;
        with_images.push((birder.token, image));
    }
    Target {
        address: url.trim_start_matches("http://").to_owned(),
        birders: with_images,
    }
}

/// Whose processor time counts.
#[derive(Clone, Copy)]
struct Processes {
    server: u32,
    broker: Option<u32>,
}

impl Processes {
    fn all(self) -> Duration {
        cpu_time(self.server) + self.broker.map_or(Duration::ZERO, cpu_time)
    }
}

async fn load(
    name: &str,
    target: &Target,
    processes: Processes,
    requests: usize,
    wire: Option<&Wire>,
) -> f64 {
    let left = Arc::new(AtomicUsize::new(requests));
    let (server_before, all_before) = (cpu_time(processes.server), processes.all());
    let began = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for (token, image) in target.birders.iter().cycle().take(CONNECTIONS) {
        let connection = Connection::open(&target.address).await;
        let head = format!(
            "POST /api/v1/ticks HTTP/1.1\r\nhost: dipper\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        clients.spawn(client(connection, head, image.clone(), Arc::clone(&left)));
    }
    let mut latencies: Vec<Duration> = Vec::with_capacity(requests);
    while let Some(client) = clients.join_next().await {
        latencies.extend(client.unwrap());
    }
    let seconds = began.elapsed().as_secs_f64();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / requests as f64;
    let latencies = Latencies::new(latencies);
    let rate = requests as f64 / seconds;
    let stored = match wire {
        Some(wire) => {
            eventually("all are stored", || async {
                let count = wire.count("TICK").await;
                (count >= requests as u64).then(|| count.to_string())
            })
            .await
        }
        None => "none".to_owned(),
    };
    println!(
        "{name:<28} {rate:>10.0} {:>9.2} {:>9.2} {:>12.1} {:>12.1} {stored:>9}",
        latencies.millis(500),
        latencies.millis(990),
        each(cpu_time(processes.server).saturating_sub(server_before)),
        each(processes.all().saturating_sub(all_before)),
    );
    rate
}

/// One connection's share of the ticks.
async fn client(
    mut connection: Connection,
    head: String,
    image: String,
    left: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    {
        let tick = json!({"id": Uuid::new_v4(), "image": {"url": image}, "count": 3, "seen_on": "2026-05-01"}).to_string();
        let request = format!("{head}content-length: {}\r\n\r\n{tick}", tick.len());
        let sent = Instant::now();
        connection.ask(&request, 201).await;
        latencies.push(sent.elapsed());
    }
    latencies
}
