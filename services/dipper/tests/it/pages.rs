//! The pages and documents that the program serves.

use std::collections::HashSet;

use serde_json::Value;
use testkit::Api;

use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_documents_are_served_without_third_parties() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    for path in [
        "/",
        "/privacy",
        "/admin/",
        "/docs/",
        "/docs/events",
        "/docs/records",
        "/dev/mail",
    ] {
        let page = api.get(path).await.expect(200);
        let text = String::from_utf8_lossy(&page.bytes).into_owned();
        assert!(
            page.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "{path}"
        );
        assert!(
            page.headers.contains_key("content-security-policy"),
            "{path}"
        );
        for outside in ["src=\"http", "src=\"//", "href=\"http", "@import"] {
            assert!(
                !text.contains(outside),
                "{path} refers to somebody else: {outside}"
            );
        }
    }
    let asyncapi = api.get("/api/asyncapi.json").await.expect(200).json;
    assert_eq!(asyncapi["asyncapi"], "3.0.0");
    expect_every_route(&api).await;
    assert_eq!(api.get("/healthz").await.expect(200).bytes, b"ok\n");
    assert_eq!(api.get("/readyz").await.expect(200).json["ready"], true);
    let metrics = api.get("/metrics").await.expect(200);
    assert!(String::from_utf8_lossy(&metrics.bytes).contains("dipper_http_requests_total"));
    assert_eq!(running.stop().await, Some(0));
}

/// Every operation has a name of its own and says of each answer what it means.
fn expect_complete(document: &Value) {
    let mut names = HashSet::new();
    let items = document["paths"].as_object().unwrap().values();
    for operation in items.flat_map(|item| item.as_object().unwrap().values()) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands twice");
        let answers = operation["responses"].as_object().unwrap();
        for (status, answer) in answers {
            let description = answer["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{name} {status}");
        }
        if operation["requestBody"]["content"]["application/json"].is_object() {
            for status in ["400", "413", "415"] {
                assert!(answers.contains_key(status), "{name} {status}");
            }
        }
    }
}

/// The document holds the routes of the contract, each with an answer described.
async fn expect_every_route(api: &Api) {
    let document = api.get("/api/openapi.json").await.expect(200).json;
    expect_complete(&document);
    for (method, path) in [
        ("post", "/api/v1/auth/register"),
        ("post", "/api/v1/auth/confirm"),
        ("post", "/api/v1/auth/login"),
        ("post", "/api/v1/auth/logout"),
        ("get", "/api/v1/auth/sessions"),
        ("delete", "/api/v1/auth/sessions"),
        ("get", "/api/v1/auth/sessions/{id}"),
        ("delete", "/api/v1/auth/sessions/{id}"),
        ("post", "/api/v1/images"),
        ("post", "/api/v1/ticks"),
        ("get", "/api/v1/ticks"),
        ("get", "/api/v1/ticks/{id}"),
        ("delete", "/api/v1/ticks/{id}"),
        ("get", "/api/v1/images/{id}"),
        ("put", "/api/v1/images/{id}/rating"),
        ("delete", "/api/v1/images/{id}/rating"),
        ("get", "/api/v1/feed"),
        ("get", "/api/v1/feed/live"),
        ("get", "/api/v1/species"),
        ("get", "/api/v1/users/me"),
        ("patch", "/api/v1/users/me"),
        ("post", "/api/v1/gdpr/delete"),
        ("get", "/api/v1/gdpr/requests/{request_id}"),
        ("post", "/api/v1/gdpr/export"),
        ("get", "/api/v1/gdpr/requests/{request_id}/download"),
        ("get", "/unsubscribe/{token}"),
        ("post", "/unsubscribe/{token}"),
        ("get", "/api/v1/statistics/overview"),
        ("get", "/api/v1/statistics/timeseries"),
        ("get", "/api/v1/statistics/ratings/histogram"),
        ("get", "/api/v1/statistics/species/top"),
        ("get", "/api/v1/statistics/species/{id}/scores"),
        ("get", "/api/v1/statistics/retention"),
        ("get", "/"),
        ("get", "/admin/"),
        ("get", "/api/openapi.json"),
        ("get", "/api/asyncapi.json"),
        ("get", "/docs"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/dev/mail"),
        ("get", "/dev/mail/messages"),
    ] {
        let responses = &document["paths"][path][method]["responses"];
        assert_ne!(
            *responses,
            Value::Null,
            "{method} {path} is not in the document"
        );
    }
}
