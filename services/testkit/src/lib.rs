//! For tests: the real program, the real broker and real databases, each owned by one test and
//! gone with it. A failure panics, as tests do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

pub mod admin;
pub mod api;
pub mod broker;
pub mod browser;
pub mod collector;
pub mod databases;
pub mod postgres;
pub mod program;
pub mod wire;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

pub use admin::create_admin;
pub use api::{Answer, Api, Birder, Mailbox};
pub use broker::Broker;
pub use postgres::{Postgres, programs as postgres_programs};
pub use program::{Launch, Running};
pub use wire::Wire;

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A real photograph of a nuthatch, 1600 x 900.
pub const PHOTO: &[u8] = include_bytes!("../../../data/photos/eurasian-nuthatch.jpg");

/// The avibase id of that bird's species, *Sitta europaea*.
pub const NUTHATCH: &str = "avibase-9C2B53A0";

/// Waits until a condition gives a value.
pub async fn eventually<T, F, Fut>(what: &str, condition: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    eventually_within(PATIENCE, what, condition).await
}

/// Waits so long for a condition to give a value.
pub async fn eventually_within<T, F, Fut>(patience: Duration, what: &str, mut condition: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "it did not come true that {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// The nats-server that tests use: `DIPPER_TEST_NATS_SERVER`, as `./dipper test` sets it, or the
/// one on the PATH.
pub fn nats_server() -> PathBuf {
    std::env::var_os("DIPPER_TEST_NATS_SERVER")
        .map_or_else(|| PathBuf::from("nats-server"), PathBuf::from)
}

/// User and system time that a process has used so far.
pub fn cpu_time(pid: u32) -> Duration {
    /// `/proc/<pid>/stat` counts in hundredths of a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // What stands before is the program's name, which may hold anything.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields[11..13].iter().map(|ticks| ticks.parse::<u32>());
    TICK * ticks.map(Result::unwrap).sum::<u32>()
}

/// The memory that a process has now, in kilobytes.
pub fn memory(pid: u32) -> u64 {
    kilobytes(pid, "VmRSS:")
}

/// The most memory that a process has had, in kilobytes.
pub fn most_memory(pid: u32) -> u64 {
    kilobytes(pid, "VmHWM:")
}

fn kilobytes(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    let value = value.unwrap().trim().trim_end_matches(" kB");
    value.parse().unwrap()
}

/// A port of this machine that is free now.
pub fn free_port() -> u16 {
    chassis::nats_server::free_port().unwrap()
}
