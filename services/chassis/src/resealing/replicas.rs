//! Which key each process seals with. Processes of a service share their questions, so an answer is one process's; the
//! broker's services tell of themselves each for itself when they are asked for their statistics.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::service::endpoint;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::bus::Bus;
use crate::keys::Keys;

/// Everybody's statistics: a name of the broker's protocol for services.
const STATISTICS: &str = "$SRV.STATS";
/// Who is there answers within this time. Nobody knows how many they are, so all of it is waited.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What a process adds to its statistics.
#[derive(Serialize, Deserialize)]
struct Told {
    key: u32,
}

/// A process's statistics, as far as they are read here.
#[derive(Deserialize)]
struct Statistics {
    name: String,
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    data: Option<Told>,
}

/// A running process of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The service's name.
    pub service: String,
    /// The number of the key that it seals with.
    pub key: u32,
}

/// What a process tells of itself beside how much it has answered.
pub(crate) fn told(
    keys: Keys,
) -> impl FnMut(String, endpoint::Stats) -> serde_json::Value + Send + Sync {
    move |_, _| serde_json::json!(Told { key: keys.newest() })
}

/// All processes that are there now.
pub async fn replicas(bus: &Bus) -> anyhow::Result<Vec<Replica>> {
    let client = bus.client();
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(inbox.clone()).await?;
    client
        .publish_with_reply(STATISTICS, inbox, Bytes::new())
        .await
        .context("the broker does not take a question")?;
    let until = Instant::now() + ANSWER_WITHIN;
    let mut found = Vec::new();
    while let Ok(Some(reply)) = timeout_at(until, replies.next()).await {
        // Others may offer services at the same broker.
        let Ok(statistics) = serde_json::from_slice::<Statistics>(&reply.payload) else {
            continue;
        };
        let mut told = statistics.endpoints.into_iter().filter_map(|one| one.data);
        if let Some(Told { key }) = told.next() {
            let service = statistics.name;
            found.push(Replica { service, key });
        }
    }
    Ok(found)
}
