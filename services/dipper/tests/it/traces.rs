//! A trace goes from a client's request to the last effect.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, Launch, PHOTO, Wire, eventually};

use crate::setup::{DIPPER, up};

const TICK: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const RATING: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_request_sets_off_is_in_its_trace() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let (owner, rater) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, url) = api.upload(&owner, PHOTO).await;
    let tick = json!({"image": {"url": url}});
    send(&api, &owner, (Method::POST, "/api/v1/ticks", TICK), &tick).await;
    let path = format!("/api/v1/images/{image}/rating");
    let rating = json!({"rating": 4});
    send(&api, &rater, (Method::PUT, &path, RATING), &rating).await;

    let wire = Wire::connect(folder.path(), "operator").await;
    for (stream, trace) in [
        ("TICK", TICK),
        ("SCORE", TICK),
        ("RATE", RATING),
        ("NOTIFICATION", RATING),
    ] {
        let place = eventually("the event is there", || async {
            let messages = wire.messages(stream).await;
            let event: Value = serde_json::from_slice(&messages.first()?.2).unwrap();
            Some(
                event["metadata"]["traceparent"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        })
        .await;
        assert!(
            place.starts_with(&format!("00-{trace}-")),
            "{stream}: {place}"
        );
        assert!(!place.contains("00f067aa0ba902b7"), "a place of its own");
    }
    is_explained(folder.path(), &wire).await;
    assert_eq!(running.stop().await, Some(0));
}

/// The rating, who handled it, and the mail that followed.
async fn is_explained(folder: &Path, wire: &Wire) {
    let messages = wire.messages("RATE").await;
    let event: Value = serde_json::from_slice(&messages[0].2).unwrap();
    let event = event["id"].as_str().unwrap();
    let told = eventually("everybody has handled everything", || async {
        let told = explain(folder, event).await;
        let told = String::from_utf8(told.stdout).unwrap();
        (!told.contains("UNPROCESSED")).then_some(told)
    })
    .await;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], format!("rate.update.v2 {event}"));
    assert!(lines[1].contains("produced by services/TickAPI"), "{told}");
    assert!(lines[1].ends_with("now in RATE at 1"), "{told}");
    for service in ["tick-api", "user-api", "notifier", "statistics"] {
        let handled = format!("  {service:<12} COMPLETED at ");
        assert!(
            lines[2..6].iter().any(|line| line.starts_with(&handled)),
            "{told}"
        );
    }
    assert!(lines[6].starts_with("    notification.email.v1 "), "{told}");

    let nobody = explain(folder, "00000000-0000-4000-8000-000000000000").await;
    assert!(!nobody.status.success());
    let why = String::from_utf8(nobody.stderr).unwrap();
    assert!(why.contains("no stream and no service knows"), "{why}");
}

async fn explain(folder: &Path, event: &str) -> Output {
    let folder = folder.to_string_lossy();
    Launch::new(DIPPER, &["explain", event, "--data-dir", &folder])
        .output()
        .await
}

async fn send(
    api: &Api,
    birder: &Birder,
    (method, path, trace): (Method, &str, &str),
    body: &Value,
) {
    let request = api
        .request(method, path)
        .bearer_auth(&birder.token)
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(body);
    let answer = api.try_send(request).await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.status);
}
