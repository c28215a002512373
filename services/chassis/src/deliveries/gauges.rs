//! What became of all events, as gauges: whether everything that was offered is accounted for.

use std::collections::HashMap;
use std::time::Duration;

use super::store;
use crate::database::{Database, DatabaseError};
use crate::lifecycle::Lifecycle;

const EVERY: Duration = Duration::from_secs(5);

/// Keeps the gauges of a service until the stop.
pub(crate) async fn keep(database: Database, lifecycle: Lifecycle) -> anyhow::Result<()> {
    while lifecycle.pause(EVERY).await {
        if let Err(error) = set(&database).await {
            let service = database.service();
            tracing::debug!(service, %error, "the gauges of deliveries are not current");
        }
    }
    Ok(())
}

async fn set(database: &Database) -> Result<(), DatabaseError> {
    let consumer = database.service();
    let mut session = database.read().await?;
    let lines = store::lines(&mut session, consumer).await?;
    let offered = store::offered(&mut session, consumer).await?;
    drop(session);
    let mut known: HashMap<String, i64> = HashMap::new();
    let mut by_status: HashMap<(String, String), i64> = HashMap::new();
    for (stream, _) in &offered {
        for status in ["UNPROCESSED", "ERROR", "RETRY", "FAILED"] {
            by_status.insert((stream.clone(), status.to_owned()), 0);
        }
    }
    for line in lines {
        *known.entry(line.stream.clone()).or_default() += line.events;
        by_status.insert((line.stream, line.status), line.events);
    }
    for ((stream, status), events) in by_status {
        gauge(
            "dipper_deliveries",
            &[
                ("consumer", consumer),
                ("stream", &stream),
                ("status", &status),
            ],
            events,
        );
    }
    for (stream, offered) in offered {
        let labels = [("consumer", consumer), ("stream", &*stream)];
        gauge("dipper_deliveries_offered", &labels, offered);
        let missing = offered - known.get(&stream).copied().unwrap_or_default();
        gauge("dipper_deliveries_unaccounted", &labels, missing);
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no count of events comes near 2^52"
)]
fn gauge(name: &'static str, labels: &[(&'static str, &str)], value: i64) {
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| metrics::Label::new(*key, (*value).to_owned()))
        .collect();
    metrics::gauge!(name, labels).set(value as f64);
}
