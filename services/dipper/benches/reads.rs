//! Reading: how many answers a second one core gives, however much there is. `cargo bench -p dipper --bench reads`
//!
//! Ticks, photos and ratings are made up in the databases, the same ones each time: half as many photos as ticks, five ratings
//! for each tick, a birder for each 500. Then everything runs in one process on one core, and is asked on others. Processor time
//! is read from `/proc`, so that the answers that a core could give can be told from those that the generator left it time for.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking and prints its results"
)]

#[path = "shared/load.rs"]
mod load;

use std::path::Path;
use std::time::{Duration, Instant};

use chassis::http::Cursor;
use load::{Connection, Latencies};
use sqlx::{Connection as _, SqliteConnection};
use testkit::{Launch, Running, cpu_time, most_memory};
use uuid::Uuid;

const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const CONNECTIONS: usize = 16;
const ASK_FOR: Duration = Duration::from_secs(3);
/// What is aimed at: answers a second of one core, and 99 of 100 within so many milliseconds.
const AIM: (u32, u32) = (5_000, 10);
/// When the first photo entered the feed, in microseconds since 1970; each next one a second later.
const BEGIN: i64 = 1_700_000_000_000_000;

/// The id of the `n`th of a kind: spread as random ones are, and the same in each run.
macro_rules! id {
    ($kind:literal, $n:literal) => {
        concat!(
            "unhex(printf('%08x%08x%08x%08x', (",
            $n,
            ") * 2654435761 % 4294967291, (",
            $n,
            ") * 40503 % 4294967291, ",
            $kind,
            ", ",
            $n,
            "))"
        )
    };
}

/// In the order of their indexes, as that is many times faster.
const TICK_API: [&str; 3] = [
    concat!(
        "WITH RECURSIVE photo (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM photo WHERE n + 1 < $1 / 2)
         INSERT INTO image (id, owner, width, height, created_at, ticked_at, score, scored_at, rating_count, rating_sum, rank_value)
         SELECT ", id!(1, "n"), ", ", id!(2, "n % ($1 / 500)"), ", 2048, 1365, $2, $2 + n * 1000000, 1 + n % 400 / 100.0, $2, 10, 35,
                1 + n * 7919 % 400000 / 100000.0
         FROM photo ORDER BY 1"
    ),
    concat!(
        "WITH RECURSIVE tick_ (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM tick_ WHERE n + 1 < $1)
         INSERT INTO tick (id, owner, image, day, birds, fingerprint, created_at)
         SELECT ", id!(3, "n"), ", ", id!(2, "n % ($1 / 2) % ($1 / 500)"), ", ", id!(1, "n % ($1 / 2)"),
        ", '2026-05-01', 3, printf('%064x', n), $2 + n * 500000
         FROM tick_ ORDER BY 1"
    ),
    concat!(
        "WITH RECURSIVE word (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM word WHERE n + 1 < $1 * 5)
         INSERT INTO rating (image, rater, rating, event_id, rated_at)
         SELECT ", id!(1, "n / 10"), ", ", id!(2, "(n / 10 + 1 + n % 10) % ($1 / 500)"), ", 1 + n % 5, ", id!(4, "n"), ", $2
         FROM word ORDER BY 1, 2"
    ),
];
const STATISTICS: [&str; 3] = [
    concat!(
        "WITH RECURSIVE tick_ (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM tick_ WHERE n + 1 < $1)
         INSERT INTO tick (id, user_id, stands, image_id, species_id, scientific, english, at)
         SELECT ", id!(3, "n"), ", ", id!(2, "n % ($1 / 2) % ($1 / 500)"), ", true, ", id!(1, "n % ($1 / 2)"),
        ", 's' || n % 700, 'Avis ' || n % 700, 'Bird ' || n % 700, $2 + n * 500000
         FROM tick_ ORDER BY 1"
    ),
    concat!(
        "WITH RECURSIVE word (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM word WHERE n + 1 < $1 * 5)
         INSERT INTO rating (user_id, image_id, owner, value, at, event_id)
         SELECT ", id!(2, "(n / 10 + 1 + n % 10) % ($1 / 500)"), ", ", id!(1, "n / 10"), ", ", id!(2, "n / 10 % ($1 / 500)"),
        ", 1 + n % 5, $2 + n * 100000, ", id!(4, "n"), "
         FROM word ORDER BY 1, 2"
    ),
    concat!(
        "WITH RECURSIVE birder (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM birder WHERE n + 1 < $1 / 500)
         INSERT INTO person (user_id, source) SELECT ", id!(2, "n"), ", 'tick' FROM birder WHERE $2 > 0"
    ),
];

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let largest = std::env::var("DIPPER_TEST_TICKS")
        .map_or(SIZES[SIZES.len() - 1], |text| text.parse().unwrap());
    println!(
        "{CONNECTIONS} connections, {} cores, the program on one of them; aim: {} answers a second of that core, 99 of 100 within {} ms",
        std::thread::available_parallelism().unwrap(),
        AIM.0,
        AIM.1
    );
    println!(
        "{:<34} {:>9} {:>10} {:>9} {:>9} {:>11} {:>13}",
        "", "ticks", "answers/s", "p50 ms", "p99 ms", "CPU us each", "of a core/s"
    );
    for ticks in SIZES.into_iter().filter(|ticks| *ticks <= largest) {
        let folder = tempfile::tempdir().unwrap();
        start(folder.path()).await.stop().await;
        let began = Instant::now();
        fill(&folder.path().join("db/tick-api.db"), TICK_API, ticks).await;
        fill(&folder.path().join("db/statistics.db"), STATISTICS, ticks).await;
        let filled_in = began.elapsed();
        let running = start(folder.path()).await;
        for (what, path) in routes(ticks) {
            ask_all(&running, what, &path, ticks).await;
        }
        println!(
            "{:<34} {ticks:>9} made up in {:.0} s, {:.0} bytes of database each; {} MB of memory at most",
            "",
            filled_in.as_secs_f64(),
            size_of(&folder.path().join("db")) as f64 / ticks as f64,
            most_memory(running.pid()) / 1024
        );
        running.stop().await;
    }
}

/// Everything in one process, on one core.
async fn start(folder: &Path) -> Running {
    Launch::up(DIPPER, folder)
        .pinned_to(0)
        .env("DIPPER_LOG", "error")
        .start()
        .await
}

async fn fill(database: &Path, statements: [&'static str; 3], ticks: u64) {
    let url = format!("sqlite:{}", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in statements {
        let query = sqlx::query(statement).bind(ticks.cast_signed()).bind(BEGIN);
        query.execute(&mut connection).await.unwrap();
    }
    // As the program does it when it stops.
    let analyse = "PRAGMA analysis_limit = 400; ANALYZE";
    sqlx::raw_sql(analyse)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// What people read, at the top and far below.
fn routes(ticks: u64) -> [(&'static str, String); 6] {
    let amid = BEGIN + (ticks / 4).cast_signed() * 1_000_000;
    let deep = Cursor {
        key: amid,
        id: Uuid::nil(),
    };
    let best = Cursor {
        key: 3.0,
        id: Uuid::nil(),
    };
    [
        ("feed, newest", "/api/v1/feed".to_owned()),
        (
            "feed, newest, half way down",
            format!("/api/v1/feed?cursor={deep}"),
        ),
        ("feed, best", "/api/v1/feed?sort=best".to_owned()),
        (
            "feed, best, half way down",
            format!("/api/v1/feed?sort=best&cursor={best}"),
        ),
        ("species search", "/api/v1/species?q=gre".to_owned()),
        (
            "statistics overview",
            "/api/v1/statistics/overview".to_owned(),
        ),
    ]
}

async fn ask_all(running: &Running, what: &str, path: &str, ticks: u64) {
    let address = running.url.trim_start_matches("http://").to_owned();
    let request = format!("GET {path} HTTP/1.1\r\nhost: dipper\r\n\r\n");
    // What is cold at first is no part of it.
    Connection::open(&address).await.ask(&request, 200).await;
    let (began, before) = (Instant::now(), cpu_time(running.pid()));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, request) = (address.clone(), request.clone());
        clients.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let mut latencies = Vec::new();
            while began.elapsed() < ASK_FOR {
                let sent = Instant::now();
                connection.ask(&request, 200).await;
                latencies.push(sent.elapsed());
            }
            latencies
        });
    }
    let latencies = clients.join_all().await.concat();
    let (seconds, answers) = (began.elapsed().as_secs_f64(), latencies.len() as f64);
    let spent = cpu_time(running.pid()).saturating_sub(before);
    let each = spent.as_secs_f64() / answers;
    let latencies = Latencies::new(latencies);
    println!(
        "{what:<34} {ticks:>9} {:>10.0} {:>9.2} {:>9.2} {:>11.1} {:>13.0}",
        answers / seconds,
        latencies.millis(500),
        latencies.millis(990),
        each * 1e6,
        1.0 / each
    );
}

/// The bytes of all files in a folder.
fn size_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}
