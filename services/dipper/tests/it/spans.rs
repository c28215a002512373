//! A collector that is set sees what a request set off, and nothing about who it was.

use reqwest::Method;
use serde_json::json;
use testkit::collector::{Collector, attribute};
use testkit::{Api, Birder, PHOTO, eventually, free_port};
use uuid::Uuid;

use crate::setup::up;

/// The trace that the client begins, and its own place in it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// What is done with a tick, and by which service.
const WAY: [(&str, Option<&str>); 7] = [
    ("POST /api/v1/ticks", None),
    ("create tick.new", Some("tick-api")),
    ("publish tick.new.v1", Some("tick-api")),
    ("process tick.new", Some("score-model")),
    ("create score.update", Some("score-model")),
    ("publish score.update.v1", Some("score-model")),
    ("process score.update", Some("statistics")),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_sees_a_tick_on_its_whole_way_and_nobody_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, endpoint) = Collector::start().await;
    let running = up(folder.path())
        .env("DIPPER_OTLP_ENDPOINT", &endpoint)
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let (image, url) = api.upload(&owner, PHOTO).await;
    let tick = json!({"image": {"url": url}});
    let answer = api
        .request(Method::POST, "/api/v1/ticks")
        .header("traceparent", format!("00-{TRACE}-{CLIENT}-01"))
        .bearer_auth(&owner.token)
        .json(&tick)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);

    let spans = eventually("the collector has the whole way", async || {
        let spans = collector.spans_of(TRACE);
        let has = |(name, service): &(&str, Option<&str>)| {
            spans.iter().any(|span| {
                span.name == *name && attribute(span, "dipper.service").as_deref() == *service
            })
        };
        WAY.iter().all(has).then(|| spans.clone())
    })
    .await;
    let places: Vec<String> = spans
        .iter()
        .map(|span| hex::encode(&span.span_id))
        .collect();
    for span in &spans {
        let parent = hex::encode(&span.parent_span_id);
        assert!(
            parent == CLIENT || places.contains(&parent),
            "{}",
            span.name
        );
    }
    // What still waits is sent at the stop.
    assert_eq!(running.stop().await, Some(0));
    says_nothing_of(&collector.bytes(), &owner, (image, &url));
}

fn says_nothing_of(told: &[u8], owner: &Birder, (image, url): (Uuid, &str)) {
    let holds = |text: &[u8]| told.windows(text.len()).any(|some| some == text);
    for personal in [
        &owner.id.to_string(),
        &owner.id.simple().to_string(),
        &owner.email,
        &owner.token,
        "Olga",
        &image.to_string(),
        &image.simple().to_string(),
        url,
    ] {
        assert!(!holds(personal.as_bytes()), "{personal}");
    }
    for id in [owner.id, image] {
        assert!(!holds(id.as_bytes()), "{id} as bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_keeps_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let running = up(folder.path())
        .env("DIPPER_OTLP_ENDPOINT", &nobody)
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let (_, url) = api.upload(&owner, PHOTO).await;
    let tick = json!({"image": {"url": url}});
    let answer = api.send(
        Method::POST,
        "/api/v1/ticks",
        Some(&owner.token),
        Some(&tick),
    );
    answer.await.expect(201);
    eventually("what was not taken is counted", async || {
        let told = api.get("/metrics").await;
        let told = String::from_utf8(told.bytes).unwrap();
        told.contains("dipper_spans_total{outcome=\"not-taken\"}")
            .then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
}
