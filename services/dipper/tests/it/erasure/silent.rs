//! A service that does not answer, or cannot delete, keeps an erasure open and is named.

use chassis::database::Sql;
use serde_json::{Value, json};
use testkit::{Api, Birder, eventually};

use super::{ask, ended, rated_canary};
use crate::setup::System;

/// Waits until all have answered but one, which is named to the requester, and to admins.
async fn all_but(silent: &str, api: &Api, status_url: &str, admin: &Birder) {
    eventually("all others are done", || async {
        (waiting(api, status_url).await == [silent]).then_some(())
    })
    .await;
    let status = api.get(status_url).await.expect(200).json;
    assert_eq!(status["state"], "fenced", "{status}");
    assert!(status["receipt"].is_null(), "{status}");
    let open = api.get_as(admin, "/api/v1/admin/gdpr/requests").await;
    let open = open.expect(200).json;
    assert_eq!(open["items"][0]["waiting_for"], json!([silent]), "{open}");
}

async fn waiting(api: &Api, status_url: &str) -> Vec<String> {
    let status = api.get(status_url).await.expect(200).json;
    let services = status["services"].as_array().unwrap().iter();
    let waiting = services.filter(|one| one["state"] == "waiting");
    waiting
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_silent_keeps_an_erasure_open_and_is_named() {
    let system = System::seven_processes().await;
    let admin = system.admin().await;
    let rater = system.api.join("Eve").await;
    for silent in ["notifier", "statistics"] {
        let canary = rated_canary(&system.api, &rater).await;
        system.signal(silent, "STOP").await;
        let status_url = ask(&system.api, &canary.birder).await;
        all_but(silent, &system.api, &status_url, &admin).await;
        system.signal(silent, "CONT").await;
        ended(&system.api, &status_url).await;
    }
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_delete_keeps_an_erasure_open_and_is_named() {
    const REFUSE: &str = "CREATE TRIGGER refuse BEFORE DELETE ON person
        BEGIN SELECT RAISE(ABORT, 'the disk is read-only'); END";
    const ALLOW: &str = "DROP TRIGGER refuse";
    let system = System::up().await;
    let admin = system.admin().await;
    let rater = system.api.join("Eve").await;
    let canary = rated_canary(&system.api, &rater).await;
    let statement = |sqlite| Sql {
        sqlite,
        postgres: "",
    };
    system.execute("statistics", statement(REFUSE)).await;
    let status_url = ask(&system.api, &canary.birder).await;
    all_but("statistics", &system.api, &status_url, &admin).await;
    system.execute("statistics", statement(ALLOW)).await;
    let status = ended(&system.api, &status_url).await;
    assert_eq!(status["found_in"], Value::Null);
    system.stop().await;
}
