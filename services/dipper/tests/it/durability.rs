//! What a power failure would take from the broker for good is said at the start.

use testkit::broker::{Broker, BrokerSettings};

use crate::setup::serve;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_flushes_too_seldom_is_complained_about() {
    let said = beside_a_broker_that_flushes_every("30m").await;
    let complaint = said.iter().find(|line| is_complaint(line));
    let complaint = complaint.expect("it says so");
    assert!(complaint.contains("every 1800 s"), "{complaint}");
    assert!(complaint.contains("sync_interval"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_flushes_often_is_not() {
    let said = beside_a_broker_that_flushes_every("100ms").await;
    assert!(!said.iter().any(|line| is_complaint(line)));
}

fn is_complaint(line: &str) -> bool {
    line.starts_with("NOT DURABLE")
}

/// A service that was started there, with what it said, and ended again.
async fn beside_a_broker_that_flushes_every(sync_interval: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let settings = BrokerSettings {
        store: folder.path().join("store"),
        sync_interval: sync_interval.to_owned(),
        more: String::new(),
    };
    let broker = Broker::start(folder.path(), settings).await;
    let monitoring = broker.monitoring();
    let running = serve("statistics", folder.path())
        .env(
            "DIPPER_NATS_MONITORING",
            monitoring.trim_start_matches("http://"),
        )
        .start()
        .await;
    let said = running.said.clone();
    assert_eq!(running.stop().await, Some(0));
    said
}
