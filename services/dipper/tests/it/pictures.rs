//! What is known of one's own pictures: the same twice, how much room they take, and their scores by newer models.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Api, Birder, Launch, PHOTO, Wire, eventually};
use uuid::Uuid;

use crate::setup::{DIPPER, System, up};

/// Room for all sizes of the photograph once, and not twice.
const QUOTA: &str = "350000";

async fn upload(api: &Api, birder: &Birder) -> Answer {
    let request = api
        .request(Method::POST, "/api/v1/images")
        .bearer_auth(&birder.token)
        .header("content-type", "image/jpeg")
        .body(PHOTO);
    api.try_send(request).await.expect("an answer")
}

async fn twice_the_same(system: System) {
    let api = &system.api;
    let (anna, bert) = (api.join("Anna").await, api.join("Bert").await);
    let first = upload(api, &anna).await.expect(201).json;
    assert_eq!(first.get("duplicate_of"), None);
    for _ in 0..2 {
        let again = upload(api, &anna).await.expect(201).json;
        assert_eq!(again["duplicate_of"], first["id"], "the first of them");
    }
    let others = upload(api, &bert).await.expect(201).json;
    assert_eq!(
        others.get("duplicate_of"),
        None,
        "nobody learns what others have"
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_uploads_a_picture_twice_is_told_on_sqlite() {
    twice_the_same(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_uploads_a_picture_twice_is_told_on_postgres() {
    twice_the_same(System::up_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_one_person_take_no_more_than_their_quota() {
    let folder = tempfile::tempdir().unwrap();
    let launch = up(folder.path()).env("DIPPER_STORAGE_QUOTA", QUOTA);
    let running = launch.start().await;
    let api = Api::new(&running.url);
    let (anna, bert) = (api.join("Anna").await, api.join("Bert").await);
    upload(&api, &anna).await.expect(201);
    let refused = upload(&api, &anna).await;
    refused.expect_problem(413, None);
    assert_eq!(refused.json["type"], "/problems/storage-quota-exceeded");
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("of {QUOTA} bytes")), "{detail}");
    upload(&api, &bert).await.expect(201);
    assert_eq!(running.stop().await, Some(0));
}

/// Says that an older model scored a picture, as that model would.
async fn score_by_an_older_model(api: &Api, wire: &Wire, image: Uuid) {
    let url = format!("/images/{image}/2048.jpg");
    let event = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.1",
        "data": {"image": {"url": url}, "score": 1.5, "model": "niqa-0", "reasons": ["it was old"]},
        "metadata": {"source": "services/ScoreModel", "time": chrono::Utc::now().to_rfc3339()},
    });
    let subject = format!("score.update.v1.{image}");
    assert!(!wire.publish_event(&subject, &event).await, "it is new");
    eventually("the older model's score is shown", || async {
        let shown = api.get(&format!("/api/v1/images/{image}")).await.json;
        (shown["model"] == "niqa-0").then_some(())
    })
    .await;
}

async fn await_newest(api: &Api, image: Uuid) -> Value {
    eventually("the newest model has scored", || async {
        let shown = api.get(&format!("/api/v1/images/{image}")).await.json;
        (shown["model"] == "niqa-1").then_some(shown)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_model_scored_is_scored_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let birder = api.join("Anna").await;
    let image = api.tick(&birder).await;
    let shown = await_newest(&api, image).await;
    assert!(!shown["reasons"].as_array().unwrap().is_empty());
    let model = Wire::connect(folder.path(), "score-model").await;
    score_by_an_older_model(&api, &model, image).await;
    assert_eq!(running.stop().await, Some(0));

    for _ in 0..2 {
        let running = up(folder.path()).start().await;
        let again = await_newest(&Api::new(&running.url), image).await;
        assert_eq!(again["score"], shown["score"]);
        let wire = Wire::connect(folder.path(), "operator").await;
        assert_eq!(
            wire.messages("SCORE").await.len(),
            3,
            "two models and a repetition"
        );
        assert_eq!(running.stop().await, Some(0));
    }
}

#[tokio::test]
async fn files_are_scored_on_the_command_line() {
    let photo = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../data/photos/eurasian-nuthatch.jpg"
    );
    let told = Launch::new(DIPPER, &["score", photo]).output().await;
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("(niqa-1): ") && told.contains("sharp"),
        "{told}"
    );
    let json = Launch::new(DIPPER, &["score", "--json", photo])
        .output()
        .await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["model"], "niqa-1");
    assert!(told.starts_with(&format!("{:.2}", json["score"].as_f64().unwrap())));
    let bad = Launch::new(DIPPER, &["score", "/nowhere.jpg", photo])
        .output()
        .await;
    assert_eq!(bad.status.code(), Some(1));
    assert!(!bad.stdout.is_empty(), "the others are scored nevertheless");
}
