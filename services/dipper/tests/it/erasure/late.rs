//! Events that come after the erasure of whom they name, whoever publishes them, leave no trace.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Api, Wire, databases, eventually};
use uuid::Uuid;

use super::{erase, rate, rated_canary, scan};
use crate::canary::Canary;
use crate::round::rating_mails;
use crate::setup::up;

/// The streams whose events may name somebody.
const PERSONAL: [&str; 5] = ["TICK", "RATE", "SCORE", "NOTIFICATION", "USER"];

/// An event as it was published: its subject and body.
type Saved = (String, Value);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_about_an_erased_person_is_deleted_and_has_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    // The broker forgets an id soon, so that what comes again is stored again.
    let launch = up(folder.path()).env("DIPPER_DUPLICATE_WINDOW", "1s");
    let running = launch.start().await;
    let api = Api::new(&running.url);
    let other = api.join("Eve").await;
    let canary = rated_canary(&api, &other).await;
    let others = api.tick(&other).await;
    rate(&api, &canary.birder, others, 2).await;
    for birder in [&canary.birder, &other] {
        eventually("the owner is told of the rating", || async {
            let mails = rating_mails(&api, birder).await;
            (!mails.is_empty()).then_some(())
        })
        .await;
    }
    let saved = save(folder.path(), &canary).await;
    erase(&api, &canary.birder).await;
    let before = api.figures().await;

    come_again(&api, folder.path(), &canary, &saved).await;
    let running = running.kill().await.start().await;
    let api = Api::new(&running.url);
    come_again(&api, folder.path(), &canary, &saved).await;

    assert_eq!(api.figures().await, before, "nothing is counted again");
    assert_eq!(rating_mails(&api, &canary.birder).await.len(), 0);
    assert_eq!(rating_mails(&api, &other).await.len(), 1, "no second mail");
    assert_eq!(running.stop().await, Some(0));
    let found = scan(folder.path(), &canary.needles()).await;
    assert_eq!(found, (Some(0), Vec::new()));
}

/// All events that name somebody, and one as an old client publishes it.
async fn save(folder: &Path, canary: &Canary) -> Vec<Saved> {
    let wire = Wire::connect(folder, "operator").await;
    let ids = [canary.birder.id, canary.image].map(|id| id.to_string());
    let mut saved = Vec::new();
    for stream in PERSONAL {
        let before = saved.len();
        for stored in wire.read(stream).await {
            let text = format!("{} {}", stored.subject, stored.body);
            if ids.iter().any(|id| text.contains(id)) {
                saved.push((stored.subject, stored.body));
            }
        }
        assert!(saved.len() > before, "{stream} names them");
    }
    let old = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.0",
        "data": {"user": {"id": canary.birder.id}, "image_url": format!("/images/{}", canary.image), "rating": 1},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    });
    saved.push((format!("rate.update.v1.{}", canary.birder.id), old));
    saved
}

/// The login that may publish such an event.
fn producer_of(subject: &str) -> &'static str {
    let entity_and_kind = subject.split('.').take(2).collect::<Vec<_>>().join(".");
    match entity_and_kind.as_str() {
        "user.limit" | "gdpr.erased" => "user-api",
        kind if kind.starts_with("score.") => "score-model",
        kind if kind.starts_with("notification.") => "notifier",
        kind if kind.starts_with("user.") => "auth-api",
        kind if kind.starts_with("admin.") => "admin-api",
        _ => "tick-api",
    }
}

/// Publishes all of it again, as it was and under new ids, and waits until nothing is left of it.
async fn come_again(api: &Api, folder: &Path, canary: &Canary, saved: &[Saved]) {
    let deleted = late_deletions(api).await;
    for (subject, event) in saved {
        let mut anew = event.clone();
        anew["id"] = json!(Uuid::new_v4());
        let wire = Wire::connect(folder, producer_of(subject)).await;
        for event in [event, &anew] {
            wire.publish_event(subject, event).await;
        }
    }
    let reader = Wire::connect(folder, "operator").await;
    for id in [canary.birder.id, canary.image] {
        eventually("late events are overwritten", || async {
            let streams = reader.streams_naming(id).await;
            streams.is_empty().then_some(())
        })
        .await;
        let tables = databases::sqlite_tables_naming(&folder.join("db"), id).await;
        assert_eq!(tables, Vec::<String>::new());
    }
    let now = late_deletions(api).await;
    assert!(
        now >= deleted + saved.len() as u64,
        "{deleted} and then {now}"
    );
}

/// How many late events were overwritten so far.
async fn late_deletions(api: &Api) -> u64 {
    let metrics = api.get("/metrics").await.expect(200).bytes;
    let metrics = String::from_utf8(metrics).unwrap();
    let counts = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("dipper_erased_late_events_total"));
    counts
        .filter_map(|count| count.trim().parse::<u64>().ok())
        .sum()
}
