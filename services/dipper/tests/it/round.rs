//! The main job: a tick goes round.

use serde_json::{Value, json};
use testkit::{Api, Birder, NUTHATCH, PHOTO, Wire, eventually};
use uuid::Uuid;

use crate::erasure::erase;
use crate::setup::System;

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_goes_round_on_sqlite() {
    whole_round(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_goes_round_on_postgres() {
    whole_round(System::up_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_goes_round_between_seven_processes() {
    whole_round(System::seven_processes().await).await;
}

async fn whole_round(system: System) {
    let api = &system.api;
    let (owner, rater) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, tick) = tick_a_bird(api, &owner).await;
    await_score(api, image).await;
    rate(api, &owner, &rater, image).await;
    let mail = rating_mail(api, &owner).await;
    assert!(
        mail["text"].as_str().unwrap().contains(&image.to_string()),
        "the mail links to the picture"
    );
    expect_figures(api, &json!({
        "ticks": 1, "ratings": 1, "images": 1, "scores": 1, "notifications": 1, "logins": 2, "users": 2,
    }))
    .await;

    refuse_wrong_password(api, &owner).await;
    erase(api, &owner).await;
    expect_gone(&system, &owner, &rater, image, tick).await;
    stays_gone(&system, &owner, &rater, image).await;
    system.stop().await;
}

/// Uploads the photograph and ticks it: image and tick.
pub async fn tick_a_bird(api: &Api, owner: &Birder) -> (Uuid, Uuid) {
    let (image, url) = api.upload(owner, PHOTO).await;
    let body = json!({
        "id": Uuid::new_v4(), "image": {"url": url}, "species": {"id": NUTHATCH},
        "seen_on": "2026-05-01", "count": 2, "place": {"lat": 59.8586, "lon": 17.6389}, "note": "by the feeder",
    });
    let created = api.post_as(owner, "/api/v1/ticks", &body).await.expect(201);
    assert_eq!(created.json["id"], body["id"]);
    assert_eq!(created.json["user"]["id"], owner.id.to_string());
    assert_eq!(
        created.headers["location"],
        format!("/api/v1/ticks/{}", body["id"].as_str().unwrap())
    );
    // Visible immediately, and the same again when a client repeats itself.
    let mine = api.get_as(owner, "/api/v1/ticks?user=me").await.expect(200);
    assert_eq!(mine.json["items"][0]["id"], body["id"]);
    assert_eq!(
        mine.json["items"][0]["species"]["english"],
        "Eurasian Nuthatch"
    );
    let again = api.post_as(owner, "/api/v1/ticks", &body).await.expect(201);
    assert_eq!(again.json, created.json);
    (image, body["id"].as_str().unwrap().parse().unwrap())
}

/// Waits until a picture has a score.
pub async fn await_score(api: &Api, image: Uuid) {
    let score = eventually("the picture is scored", || async {
        api.get(&format!("/api/v1/images/{image}"))
            .await
            .expect(200)
            .json["score"]
            .as_f64()
    })
    .await;
    assert!((1.0..=5.0).contains(&score), "{score}");
}

async fn rate(api: &Api, owner: &Birder, rater: &Birder, image: Uuid) {
    let path = format!("/api/v1/images/{image}/rating");
    api.put_as(owner, &path, &json!({"rating": 5}))
        .await
        .expect_problem(403, None);
    let answer = api
        .put_as(rater, &path, &json!({"rating": 4}))
        .await
        .expect(200);
    assert_eq!(answer.json["rating"], 4);
    let seen = api
        .get_as(rater, &format!("/api/v1/images/{image}"))
        .await
        .expect(200)
        .json;
    assert_eq!(
        (&seen["my_rating"], &seen["rating"]),
        (&json!(4), &json!({"mean": 4.0, "count": 1}))
    );
}

/// The mails about ratings to somebody.
pub async fn rating_mails(api: &Api, owner: &Birder) -> Vec<Value> {
    let mails = api.mails_to(&owner.email).await;
    mails
        .into_iter()
        .filter(|mail| mail["headers"]["List-Unsubscribe"].is_string())
        .collect()
}

async fn rating_mail(api: &Api, owner: &Birder) -> Value {
    eventually("the owner gets a mail about the rating", || async {
        let mails = rating_mails(api, owner).await;
        assert!(mails.len() <= 1, "one rating, one mail");
        mails.into_iter().next()
    })
    .await
}

/// Waits until the statistics show exactly these figures.
pub async fn expect_figures(api: &Api, expected: &Value) {
    let mut last = Value::Null;
    let deadline = tokio::time::Instant::now() + testkit::PATIENCE;
    while last != *expected {
        assert!(
            tokio::time::Instant::now() < deadline,
            "statistics show {last}, not {expected}"
        );
        tokio::task::yield_now().await;
        last = api.figures().await;
    }
}

async fn refuse_wrong_password(api: &Api, owner: &Birder) {
    let wrong = json!({"password": "not the right one"});
    let refused = api.post_as(owner, "/api/v1/gdpr/delete", &wrong).await;
    refused.expect_problem(403, None);
}

async fn expect_gone(system: &System, owner: &Birder, rater: &Birder, image: Uuid, tick: Uuid) {
    let api = &system.api;
    api.get_as(owner, "/api/v1/users/me")
        .await
        .expect_problem(401, None);
    let login = json!({"email": owner.email, "password": owner.password});
    api.post("/api/v1/auth/login", &login)
        .await
        .expect_problem(401, None);
    api.get(&format!("/images/{image}/400.jpg"))
        .await
        .expect_problem(410, None);
    api.put_as(
        rater,
        &format!("/api/v1/images/{image}/rating"),
        &json!({"rating": 1}),
    )
    .await
    .expect_problem(410, None);
    expect_figures(api, &json!({
        "ticks": 0, "ratings": 0, "images": 0, "scores": 0, "notifications": 0, "logins": 1, "users": 1,
    }))
    .await;
    assert_eq!(system.files_of(image), Vec::<std::path::PathBuf>::new());
    let wire = Wire::connect(system.folder(), "operator").await;
    for id in [owner.id, image] {
        assert_eq!(wire.streams_naming(id).await, Vec::<String>::new());
        assert_eq!(system.tables_naming(id).await, Vec::<String>::new());
    }
    // Ids of handled events stay in the inboxes: random, and nobody's any more.
    assert_eq!(wire.streams_naming(tick).await, Vec::<String>::new());
    let tables = system.tables_naming(tick).await;
    assert!(
        tables.iter().all(|table| table.ends_with("inbox")),
        "{tables:?}"
    );
}

/// What others say about the person afterwards leaves no trace.
async fn stays_gone(system: &System, owner: &Birder, rater: &Birder, image: Uuid) {
    let api = &system.api;
    let wire = Wire::connect(system.folder(), "tick-api").await;
    let reader = Wire::connect(system.folder(), "operator").await;
    let envelope = |data: Value, version: &str, kind: &str| {
        json!({
            "id": Uuid::new_v4(), "type": kind, "version": version, "data": data,
            "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
        })
    };
    let url = format!("/images/{image}");
    let late = envelope(
        json!({"user": {"id": rater.id}, "image_url": url, "rating": 1}),
        "1.0",
        "update",
    );
    wire.publish_event(&format!("rate.update.v1.{}", rater.id), &late)
        .await;
    let late = envelope(
        json!({"user": {"id": owner.id}, "image": {"url": url}}),
        "1.0",
        "new",
    );
    wire.publish_event(&format!("tick.new.v1.{}", owner.id), &late)
        .await;
    for id in [owner.id, image] {
        eventually("late events are deleted", || async {
            reader.streams_naming(id).await.is_empty().then_some(())
        })
        .await;
        assert_eq!(system.tables_naming(id).await, Vec::<String>::new());
    }
    assert_eq!(api.figures().await["ratings"], 0);
    assert_eq!(api.figures().await["ticks"], 0);
    assert!(rating_mails(api, owner).await.len() <= 1);
}
