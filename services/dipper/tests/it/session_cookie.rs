//! A browser keeps its session in a cookie: out of reach of scripts, good for pages of this origin only, and gone with the session.

use reqwest::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{Answer, Api, Birder};
use uuid::Uuid;

use crate::setup::System;

const SESSIONS: &str = "/api/v1/auth/sessions";
const SITE: &str = "sec-fetch-site";

async fn send(api: &Api, request: RequestBuilder) -> Answer {
    api.try_send(request).await.expect("an answer")
}

/// Logs in as a page does that a browser says this about.
async fn log_in_from(api: &Api, birder: &Birder, site: &str) -> Answer {
    let body = json!({"email": birder.email, "password": birder.password, "token_in": "cookie"});
    let request = api.request(Method::POST, "/api/v1/auth/login");
    send(api, request.header(SITE, site).json(&body)).await
}

/// What a browser sends back after a log-in on our own page: `NAME=TOKEN`.
async fn cookie_of(api: &Api, birder: &Birder) -> String {
    let answer = log_in_from(api, birder, "same-origin").await.expect(200);
    let set = answer.headers[SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn get(api: &Api, path: &str, cookie: &str) -> Answer {
    send(api, api.request(Method::GET, path).header(COOKIE, cookie)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_never_sees_the_token_and_the_cookie_goes_with_the_session() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    for site in ["cross-site", "same-site", "none"] {
        let refused = log_in_from(api, &ada, site).await;
        refused.expect_problem(403, None);
        assert!(!refused.headers.contains_key(SET_COOKIE));
    }
    let answer = log_in_from(api, &ada, "same-origin").await.expect(200);
    assert_eq!(answer.json["token"], Value::Null);
    assert_eq!(answer.json["user"]["id"], ada.id.to_string());
    let (cookie, rules) = answer.headers[SET_COOKIE]
        .to_str()
        .unwrap()
        .split_once("; ")
        .unwrap();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    let locked = "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure";
    assert_eq!(rules, locked);

    get(api, SESSIONS, cookie).await.expect(200);
    get(api, "/api/v1/users/me", cookie).await.expect(200);
    get(api, "/api/v1/ticks?user=me", cookie).await.expect(200);
    let log_out = api.request(Method::POST, "/api/v1/auth/logout");
    let log_out = log_out.header(COOKIE, cookie).header(SITE, "same-origin");
    let gone = send(api, log_out).await.expect(204);
    let set = gone.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        set.starts_with("__Host-session=;") && set.contains("Max-Age=0"),
        "{set}"
    );
    get(api, SESSIONS, cookie).await.expect_problem(401, None);
    // A browser sends it by itself, whatever is asked for: what everybody sees stays to be seen.
    get(api, "/api/v1/feed", cookie).await.expect(200);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_tokens_or_one_where_none_belongs_is_nobodys() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let cookie = cookie_of(api, &ada).await;
    let same = format!("__Host-session={}", ada.token);
    let bearer = format!("Bearer {}", ada.token);
    let huge = format!("Bearer {}", "a".repeat(4096));
    let cases: [(&[&str], &[&str], u16); 10] = [
        (&[&bearer], &[], 200),
        (&[&bearer], &[&same], 200),
        (&[], &[&same], 200),
        (&[&bearer], &[&cookie], 401),
        (&[&bearer, &bearer], &[], 401),
        (&[], &[&same, &cookie], 401),
        (&["Bearer "], &[], 401),
        (&[&huge], &[], 401),
        (&[], &["__Host-session="], 401),
        // Another host of the site could have set one of this name.
        (&[], &[&same.replace("__Host-", "")], 401),
    ];
    for (headers, cookies, status) in cases {
        let mut request = api.request(Method::GET, SESSIONS);
        for header in headers {
            request = request.header(AUTHORIZATION, *header);
        }
        for cookie in cookies {
            request = request.header(COOKIE, *cookie);
        }
        let answer = send(api, request).await;
        assert_eq!(answer.status, status, "{headers:?} {cookies:?}");
    }
    for query in ["token", "access_token", "session"] {
        let path = format!("{SESSIONS}?{query}={}", ada.token);
        api.get(&path).await.expect_problem(401, None);
    }
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_act_at_all_is_done_for_a_page_of_another_origin() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let cookie = cookie_of(api, &admin).await;
    let document = api.get("/api/openapi.json").await.expect(200).json;
    let acts = acts(&document);
    assert!(acts.len() > 25, "{}", acts.len());
    for (method, path) in acts {
        for (name, value) in [
            (SITE, "cross-site"),
            (SITE, "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("accept", "*/*"),
        ] {
            let request = api.request(method.clone(), &path).header(COOKIE, &cookie);
            let answer = send(api, request.header(name, value).json(&json!({}))).await;
            answer.expect_problem(403, None);
            let kind = &answer.json["type"];
            assert_eq!(kind, "/problems/cross-origin", "{method} {path} {value}");
        }
    }
    // The session, which one of these acts would have ended, goes on.
    get(api, SESSIONS, &cookie).await.expect(200);
    system.stop().await;
}

/// All operations that change something and take a cookie, with ids of nothing in their paths.
fn acts(document: &Value) -> Vec<(Method, String)> {
    let mut acts = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let ways = operation["security"].as_array();
            let takes_cookie = ways.is_some_and(|ways| ways.contains(&json!({"cookie": []})));
            if method != "get" && takes_cookie {
                let method = method.to_uppercase().parse().unwrap();
                acts.push((method, filled(path)));
            }
        }
    }
    acts
}

fn filled(path: &str) -> String {
    let nothing = Uuid::nil().to_string();
    let part = |part: &str| match part {
        "{service}" => "statistics".to_owned(),
        part if part.starts_with('{') => nothing.clone(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
