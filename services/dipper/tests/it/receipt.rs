//! Whoever was erased can prove it.

use std::path::Path;

use serde_json::{Value, json};
use testkit::Launch;

use crate::erasure::erase;
use crate::setup::{DIPPER, System};

/// The exit code and what was said.
async fn dipper(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Launch::new(DIPPER, arguments).output().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said)
}

/// The status of an erasure when it is done.
async fn erased(system: &System) -> Value {
    let birder = system.api.join("Ada").await;
    system.api.tick(&birder).await;
    erase(&system.api, &birder).await
}

async fn verify(file: &Path, more: [&str; 2]) -> (Option<i32>, String) {
    let file = file.to_string_lossy();
    dipper(&["erase", "verify-receipt", &file, more[0], more[1]]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_can_be_verified_by_anybody_and_changed_by_nobody() {
    let system = System::up().await;
    let status = erased(&system).await;
    let data = system.stop_and_keep().await;
    let own = data.path().to_string_lossy();
    let elsewhere = tempfile::tempdir().unwrap();

    let kept = elsewhere.path().join("status.json");
    std::fs::write(&kept, status.to_string()).unwrap();
    let (code, said) = verify(&kept, ["--data-dir", &own]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("genuine\n") && said.contains("tick-api"),
        "{said}"
    );

    let jws = status["receipt"]["jws"].as_str().unwrap();
    let line = elsewhere.path().join("line");
    std::fs::write(&line, jws).unwrap();
    let (_, key) = dipper(&["erase", "receipt-key", "--data-dir", &own]).await;
    assert_eq!(verify(&line, ["--key", key.trim()]).await.0, Some(0));
    // The first key of RFC 8032's examples.
    let other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(verify(&line, ["--key", other]).await.0, Some(1));
    std::fs::write(&line, jws.to_uppercase()).unwrap();
    assert_eq!(verify(&line, ["--key", key.trim()]).await.0, Some(1));

    let nowhere = elsewhere.path().join("nowhere");
    let nowhere = nowhere.to_string_lossy();
    assert_eq!(verify(&kept, ["--data-dir", &nowhere]).await.0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_takes_a_receipt_for_a_reason_that_is_kept() {
    const RECEIPTS: &str = "/api/v1/admin/gdpr/receipts";
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let status = erased(&system).await;
    let listed = api.get_as(&admin, RECEIPTS).await.expect(200).json;
    let done = &listed["items"][0];
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(done["finished_at"], status["receipt"]["finished_at"]);

    let path = format!("{RECEIPTS}/{}", done["id"].as_str().unwrap());
    let idle = api.post_as(&admin, &path, &json!({"reason": ""})).await;
    idle.expect_problem(422, Some("/reason"));
    let because = json!({"reason": "The authority asks for it."});
    let birder = api.join("Ben").await;
    let refused = api.post_as(&birder, &path, &because).await;
    refused.expect_problem(404, None);
    let taken = api.post_as(&admin, &path, &because).await.expect(200).json;
    assert_eq!(taken["receipt"], status["receipt"]);
    let log = api
        .get_as(&admin, "/api/v1/admin/audit?action=gdpr.receipt")
        .await;
    assert_eq!(log.json["items"][0]["reason"], "The authority asks for it.");

    let unknown = format!("{RECEIPTS}/{}", uuid::Uuid::new_v4());
    let unknown = api.post_as(&admin, &unknown, &because).await;
    unknown.expect_problem(404, None);
    system.stop().await;
}
