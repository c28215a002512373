//! Logging in with a provider where there is none, or none that answers. With a real one: `browser/playwright/provider.js`.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use testkit::{Answer, Api};

use crate::setup::{System, up};

const OIDC: &str = "/api/v1/auth/oidc";
const START: &str = "/api/v1/auth/oidc/start";
const CALLBACK: &str = "/api/v1/auth/oidc/callback";
const SESSION: &str = "/api/v1/auth/oidc/session";

/// What a page of ours sends.
async fn send(api: &Api, site: &str) -> Answer {
    let request = api.request(Method::POST, SESSION);
    let request = request.header("sec-fetch-site", site).json(&json!({}));
    api.try_send(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_no_way_to_one() {
    let system = System::up().await;
    let api = &system.api;
    let shown = api.get(OIDC).await.expect(200);
    assert_eq!(shown.json["provider"], Value::Null);
    for path in [START, CALLBACK, SESSION] {
        api.get(path).await.expect_problem(404, None);
    }
    send(api, "same-origin").await.expect_problem(404, None);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_whom_the_provider_did_not_send() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "between the provider and us").unwrap();
    // Nothing listens there.
    let running = up(&folder.path().join("data"))
        .env("DIPPER_OIDC_ISSUER", "http://127.0.0.1:1")
        .env("DIPPER_OIDC_CLIENT_ID", "dipper")
        .env("DIPPER_OIDC_CLIENT_SECRET_FILE", &secret.to_string_lossy())
        .start()
        .await;
    let api = Api::new(&running.url);
    let shown = api.get(OIDC).await.expect(200);
    assert_eq!(shown.json["provider"], "127.0.0.1");
    api.get(START).await.expect_problem(503, None);

    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let forged = format!(
        "{}{CALLBACK}?code=1&state=2&iss=3&session_state=4",
        running.url
    );
    for cookie in ["", "__Host-log-in=", "__Host-log-in=00ff"] {
        let back = browser.get(&forged).header(COOKIE, cookie).send();
        let back = back.await.unwrap();
        assert_eq!(back.status(), 303);
        assert_eq!(back.headers()[LOCATION], "/#provider");
        let set = back.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            set.starts_with("__Host-log-in=; ") && set.contains("Max-Age=0"),
            "{set}"
        );
    }
    api.get(SESSION).await.expect_problem(404, None);
    send(&api, "same-origin").await.expect_problem(404, None);
    send(&api, "cross-site").await.expect_problem(403, None);
    assert_eq!(running.stop().await, Some(0));
}
