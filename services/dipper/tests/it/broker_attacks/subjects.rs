//! Ids that would be something else in a subject: refused as ids, so that they never get there.

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::{Api, Birder, Wire};

use crate::round::tick_a_bird;
use crate::setup::System;

const IDS: [&str; 9] = [
    "*",
    ">",
    ".",
    "a.b",
    "tick.>",
    " ",
    "a b",
    "$JS.API.STREAM.PURGE.TICK",
    "\r\nPUB x 0\r\n",
];

async fn send(
    api: &Api,
    birder: &Birder,
    method: Method,
    path: &str,
    body: serde_json::Value,
) -> StatusCode {
    let request = api.request(method, path).bearer_auth(&birder.token);
    request.json(&body).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_never_becomes_a_subject() {
    let system = System::up().await;
    let (api, wire) = (
        &system.api,
        Wire::connect(system.folder(), "operator").await,
    );
    let birder = api.join("Olga").await;
    let (image, _) = tick_a_bird(api, &birder).await;
    let before = [
        wire.count("TICK").await,
        wire.count("RATE").await,
        wire.count("GDPR").await,
    ];
    let url = format!("/images/{image}");
    for id in IDS {
        let bodies = [
            json!({"id": id, "image": {"url": url}}),
            json!({"image": {"url": format!("/images/{id}")}}),
            json!({"image": {"url": url}, "species": {"id": id}}),
        ];
        for body in bodies {
            let status = send(api, &birder, Method::POST, "/api/v1/ticks", body.clone()).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        }
        let path = url_encoded(id);
        for (method, path) in [
            (Method::PUT, format!("/api/v1/images/{path}/rating")),
            (Method::DELETE, format!("/api/v1/ticks/{path}")),
            (Method::POST, format!("/api/v1/images/{path}/reports")),
        ] {
            let status = send(api, &birder, method, &path, json!({"rating": 3})).await;
            assert!(
                matches!(status.as_u16(), 404 | 405 | 422),
                "{path}: {status}"
            );
        }
    }
    let after = [
        wire.count("TICK").await,
        wire.count("RATE").await,
        wire.count("GDPR").await,
    ];
    assert_eq!(after, before);
    system.stop().await;
}

/// Every byte as `%XX`.
fn url_encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}
