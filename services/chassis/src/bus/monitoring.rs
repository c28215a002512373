//! What nats-servers say of themselves where their monitoring listens.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::outbox::KEEP_SENT;

const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How often a server flushes that is not told otherwise.
const FLUSHES_BY_DEFAULT: Duration = Duration::from_mins(2);

#[derive(Deserialize)]
struct Varz {
    now: DateTime<Utc>,
    jetstream: JetStream,
}

#[derive(Deserialize)]
struct JetStream {
    config: Option<Store>,
}

/// How a server keeps its streams.
#[derive(Deserialize)]
struct Store {
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
    #[serde(default, rename = "store_dir")]
    folder: PathBuf,
}

/// Whether a server answers its plain health check: then it has opened the streams that it has.
pub(crate) async fn is_healthy(address: &str) -> bool {
    get(address, "/healthz").await.is_ok()
}

/// What a power failure would take from the server at `host:port` for good, if anything: what it
/// flushes later than the outboxes keep what they sent.
pub async fn not_durable(address: &str) -> anyhow::Result<Option<String>> {
    Ok(store(address).await?.complaint(address))
}

/// Where the server at `host:port` keeps its streams, if that is on this machine.
pub(crate) async fn store_folder(address: &str) -> anyhow::Result<Option<PathBuf>> {
    let folder = store(address).await?.folder;
    Ok(folder.is_dir().then_some(folder))
}

/// What the clock of the server at `host:port` says.
pub async fn time(address: &str) -> anyhow::Result<DateTime<Utc>> {
    Ok(varz(address).await?.now)
}

async fn varz(address: &str) -> anyhow::Result<Varz> {
    serde_json::from_str(&get(address, "/varz").await?)
        .with_context(|| format!("{address} does not answer as a nats-server does"))
}

async fn store(address: &str) -> anyhow::Result<Store> {
    let store = varz(address).await?.jetstream.config;
    store.with_context(|| format!("the nats-server at {address} has no JetStream"))
}

impl Store {
    fn complaint(&self, address: &str) -> Option<String> {
        let every = match self.sync_interval {
            _ if self.sync_always => return None,
            0 => FLUSHES_BY_DEFAULT,
            nanos => Duration::from_nanos(nanos),
        };
        (every >= KEEP_SENT).then(|| {
            format!(
                "the broker at {address} flushes its streams every {} s only, and sent events are kept for {} s: \
                 a power failure would lose events. Set its sync_interval to less, best to 100ms.",
                every.as_secs(),
                KEEP_SENT.as_secs()
            )
        })
    }
}

/// `GET` by hand: a client library for two fixed requests would be the larger part.
async fn get(address: &str, path: &str) -> anyhow::Result<String> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(ANSWERS_WITHIN, asking).await;
    let answer = answer.with_context(|| format!("{address} does not answer"))?;
    let answer = answer.with_context(|| format!("cannot ask {address}"))?;
    let body = answer
        .strip_prefix("HTTP/1.0 200")
        .and_then(|rest| rest.split_once("\r\n\r\n"));
    let (_, body) = body.with_context(|| format!("{address} refuses to answer {path}"))?;
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complains(config: &str) -> bool {
        let store: Store = serde_json::from_str(config).unwrap();
        store.complaint("127.0.0.1:8222").is_some()
    }

    #[test]
    fn outboxes_must_keep_events_longer_than_a_server_leaves_them_unflushed() {
        assert!(!complains(r#"{"sync_interval": 100000000}"#), "100 ms");
        assert!(!complains("{}"), "2 minutes by default");
        assert!(
            complains(r#"{"sync_interval": 1800000000000}"#),
            "30 minutes"
        );
        assert!(!complains(
            r#"{"sync_interval": 1800000000000, "sync_always": true}"#
        ));
    }
}
