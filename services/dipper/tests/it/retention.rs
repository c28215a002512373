//! What is too old is gone from the disk, not only from the stream.

use std::path::Path;

use scanner::{Report, Scanner};
use testkit::{Api, Wire, eventually};

use crate::setup::up;

/// In how many places the broker's files hold an id.
fn found(folder: &Path, id: &str) -> usize {
    let mut report = Report::default();
    let scanner = Scanner::new(&[id.to_owned()]).unwrap();
    scanner.scan(
        &folder.join("nats/store"),
        &mut report,
        &mut |_: &Report| {},
    );
    report.findings.len()
}

/// The ids of the events in USER.
async fn user_events(wire: &Wire) -> Vec<String> {
    let events = wire.read("USER").await;
    let ids = events.iter().filter_map(testkit::wire::Stored::id);
    ids.map(|id| id.to_string()).collect()
}

async fn are_gone(folder: &Path, ids: &[String]) {
    eventually("nothing of the events is on the disk", || async {
        ids.iter().all(|id| found(folder, id) == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_leave_the_disk_when_their_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let start = up(folder.path()).env("DIPPER_RETENTION_USER", "8s");
    let running = start.start().await;
    let api = Api::new(&running.url);
    let wire = Wire::connect(folder.path(), "operator").await;

    let birder = api.join("Ada").await;
    let ids = user_events(&wire).await;
    assert!(ids.len() >= 2, "she registered and logged in");
    assert!(ids.iter().all(|id| found(folder.path(), id) > 0));
    // Idle.
    are_gone(folder.path(), &ids).await;

    // While others come and go.
    let mut all = Vec::new();
    for _ in 0..5 {
        api.log_in(birder.email.clone(), birder.password.clone())
            .await;
        all.extend(user_events(&wire).await);
    }
    assert!(!all.is_empty());
    are_gone(folder.path(), &all).await;
    assert!(user_events(&wire).await.is_empty());
    assert_eq!(running.stop().await, Some(0));
}
