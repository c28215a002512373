//! The audit's findings, as gauges.

use std::collections::BTreeMap;

use envelope::Stream;

use super::questions::Findings;
use super::{readers, store};
use crate::database::{Database, DatabaseError};
use crate::unit_of_work::source;

/// Brings the gauges of a service up to date.
pub(super) async fn set(database: &Database, streams: &[&'static Stream]) {
    if let Err(error) = try_to_set(database, streams).await {
        let service = database.service();
        tracing::debug!(service, %error, "the gauges of the audit are not current");
    }
}

async fn try_to_set(database: &Database, streams: &[&'static Stream]) -> Result<(), DatabaseError> {
    let service = database.service();
    let mut session = database.read().await?;
    let Findings {
        unmatched,
        oldest_unmatched_seconds,
        ..
    } = store::findings(&mut session, &database.clock).await?;
    let missing = store::missing(&mut session).await?;
    let waits = store::waits_to_be_sent(&mut session, &database.clock).await?;
    drop(session);
    set_missing(service, streams, &missing);
    gauge(
        metrics::gauge!("dipper_audit_unmatched", "service" => service),
        unmatched,
    );
    let age = oldest_unmatched_seconds.unwrap_or_default();
    gauge(
        metrics::gauge!("dipper_audit_unmatched_age_seconds", "service" => service),
        age,
    );
    let waits = waits / 1_000_000;
    gauge(
        metrics::gauge!("dipper_outbox_waiting_seconds", "service" => service),
        waits,
    );
    Ok(())
}

/// A gauge for every reader, also for those that lack nothing.
fn set_missing(service: &'static str, streams: &[&'static Stream], missing: &[(String, i64)]) {
    let producer = source(service);
    let readers = streams
        .iter()
        .flat_map(|stream| readers::readers_of(&producer, stream));
    let mut by_reader: BTreeMap<&str, i64> = readers.map(|reader| (reader, 0)).collect();
    for (names, events) in missing {
        for reader in names.split(' ') {
            *by_reader.entry(reader).or_default() += events;
        }
    }
    for (reader, events) in by_reader {
        let consumer = reader.to_owned();
        gauge(
            metrics::gauge!("dipper_audit_missing", "service" => service, "consumer" => consumer),
            events,
        );
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::needless_pass_by_value,
    reason = "no count of events or seconds comes near 2^52; a gauge is made where it is set"
)]
fn gauge(gauge: metrics::Gauge, value: i64) {
    gauge.set(value as f64);
}
