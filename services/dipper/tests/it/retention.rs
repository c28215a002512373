//! What is too old is gone from the disk, not only from the stream.

use std::path::Path;

use scanner::{Report, Scanner};
use serde_json::json;
use testkit::{Api, Launch, Wire, eventually};

use crate::setup::{DIPPER, admin_of, up};

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
    // That she registered may be gone already, where a log-in takes long.
    let ids = eventually("that she logged in is on the disk", || async {
        let ids = user_events(&wire).await;
        let are_found = ids.iter().all(|id| found(folder.path(), id) > 0);
        (are_found && !ids.is_empty()).then_some(ids)
    })
    .await;
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

/// What `dipper retention` says of a store.
pub async fn told_of(folder: &Path, store: &str) -> String {
    let data = folder.to_string_lossy();
    let arguments = ["retention", "--data-dir", &data];
    let output = Launch::new(DIPPER, &arguments).output().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let line = said.lines().find(|line| line.starts_with(store));
    assert!(line.is_some(), "{store}: {said}");
    line.unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admins_did_is_forgotten_when_its_time_is_over_and_the_table_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let start = up(folder.path()).env("DIPPER_RETENTION_ADMIN", "12s");
    let running = start.start().await;
    let api = Api::new(&running.url);
    let birder = api.join("Ada").await;
    let admin = admin_of(&api, folder.path()).await;
    let role = format!("/api/v1/admin/users/{}/role", birder.id);
    let body = json!({"role": "moderator", "reason": "She helps."});
    api.put_as(&admin, &role, &body).await;
    let entries = async || {
        let audit = api
            .get_as(&admin, "/api/v1/admin/audit")
            .await
            .expect(200)
            .json;
        audit["items"].as_array().map_or(0, Vec::len)
    };
    eventually("the act is in the log", || async {
        (entries().await == 1).then_some(())
    })
    .await;
    assert!(
        told_of(folder.path(), "admin-api: audit")
            .await
            .contains("12 seconds")
    );
    assert!(
        told_of(folder.path(), "stream ADMIN")
            .await
            .ends_with(" s ago")
    );
    assert!(
        told_of(folder.path(), "auth-api: session")
            .await
            .contains("30 days")
    );
    assert!(told_of(folder.path(), "mail/").await.contains("30 days"));
    eventually("the log is empty", || async {
        (entries().await == 0).then_some(())
    })
    .await;
    assert!(
        told_of(folder.path(), "admin-api: audit")
            .await
            .ends_with("nothing")
    );
    assert_eq!(running.stop().await, Some(0));
}
