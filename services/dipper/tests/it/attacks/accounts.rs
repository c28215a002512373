//! What is somebody else's, tokens that are none, and tokens that are over.

use reqwest::Method;
use serde_json::json;
use testkit::{Birder, databases};
use uuid::Uuid;

use super::{Report, Stage};
use crate::erasure::ask;

/// A token that ended is refused everywhere within this.
const SOON: std::time::Duration = std::time::Duration::from_secs(1);
const SESSIONS: &str = "/api/v1/auth/sessions";
/// A route of each service that asks whose token it is.
const GUARDED: [&str; 4] = [
    "/api/v1/ticks?user=me",
    SESSIONS,
    "/api/v1/users/me",
    "/api/v1/admin/me",
];
/// Where nobody needs a token, whoever sends one is told that it is none.
const OPEN: &str = "/api/v1/statistics/species/top";

pub async fn attack(stage: &Stage, report: &mut Report) {
    what_is_anothers(stage, report).await;
    anothers_id_in_a_body(stage, report).await;
    tokens_that_are_none(stage, report).await;
    tokens_that_are_over(stage, report).await;
}

async fn what_is_anothers(stage: &Stage, report: &mut Report) {
    let (api, mallory) = (&stage.api, &stage.mallory);
    let sessions = api.get_as(&stage.vera, SESSIONS).await;
    let session = sessions.expect(200).json["items"][0]["id"].clone();
    let session = format!("{SESSIONS}/{}", session.as_str().unwrap());
    let tick = format!("/api/v1/ticks/{}", stage.tick);
    let guessed = Uuid::new_v4().simple().to_string();
    let request = format!("/api/v1/gdpr/requests/{guessed}");
    for (method, path) in [
        (Method::GET, tick.clone()),
        (Method::DELETE, tick.clone()),
        (Method::GET, session.clone()),
        (Method::DELETE, session),
        (Method::GET, request.clone()),
        (Method::GET, format!("{request}/download")),
    ] {
        let token = Some(mallory.token.as_str());
        let answer = api.send(method.clone(), &path, token, None).await;
        let what = path.replace(&stage.tick.to_string(), "{tick}");
        let what = what.split(&guessed).next().unwrap_or_default();
        report.status(&format!("1 {method} of another's {what}"), 404, &answer);
    }
    let patch = json!({"note": "taken over"});
    let token = Some(mallory.token.as_str());
    let answer = api.send(Method::PATCH, &tick, token, Some(&patch)).await;
    report.status("1 PATCH of another's tick", 404, &answer);
}

async fn anothers_id_in_a_body(stage: &Stage, report: &mut Report) {
    let (api, mallory) = (&stage.api, &stage.mallory);
    let hers = stage.vera.id.to_string();
    for (what, body) in [
        (
            "user.id",
            json!({"password": mallory.password, "user": {"id": hers}}),
        ),
        (
            "user_id",
            json!({"password": mallory.password, "user_id": hers}),
        ),
    ] {
        let answer = api.post_as(mallory, "/api/v1/gdpr/delete", &body).await;
        report.status(&format!("2 an erasure with another's {what}"), 422, &answer);
    }
    let me = api.get_as(mallory, "/api/v1/users/me").await;
    report.status("2 whoever asked so is still there", 200, &me);
}

async fn tokens_that_are_none(stage: &Stage, report: &mut Report) {
    let (api, token) = (&stage.api, &stage.mallory.token);
    let huge = format!("Bearer {}", "x".repeat(100_000));
    let padded = format!("Bearer {token}x");
    let double = format!("Bearer {token} {token}");
    for (what, values) in [
        ("no token", vec![]),
        ("an empty header", vec![""]),
        ("an empty token", vec!["Bearer "]),
        ("a huge token", vec![huge.as_str()]),
        ("a token with something behind it", vec![padded.as_str()]),
        ("two tokens in a header", vec![double.as_str()]),
        ("two headers", vec!["Bearer a", "Bearer b"]),
        ("another scheme", vec!["Basic dXNlcjpwYXNz"]),
    ] {
        for path in GUARDED {
            let mut request = api.request(Method::GET, path);
            for value in &values {
                request = request.header("authorization", *value);
            }
            let answer = api.try_send(request).await.expect("an answer");
            report.status(&format!("3 {what} at {path}"), 401, &answer);
        }
    }
    for name in ["token", "access_token", "authorization"] {
        let answer = api.get(&format!("/api/v1/users/me?{name}={token}")).await;
        report.status(&format!("3 a token in the query as {name}"), 401, &answer);
    }
}

async fn tokens_that_are_over(stage: &Stage, report: &mut Report) {
    let api = &stage.api;
    let ended = on_every_service(stage, &stage.mallory).await;
    expect_end(stage, &ended, Method::POST, "/api/v1/auth/logout").await;
    expect_dead(stage, report, "ended", &ended).await;

    let revoked = on_every_service(stage, &stage.mallory).await;
    let session = session_of(stage, &revoked).await;
    expect_end(stage, &stage.mallory, Method::DELETE, &session).await;
    expect_dead(stage, report, "revoked elsewhere", &revoked).await;

    let forgetful = api.join("Forgetful").await;
    let everywhere = on_every_service(stage, &forgetful).await;
    expect_end(stage, &forgetful, Method::DELETE, SESSIONS).await;
    expect_dead(stage, report, "ended with all others", &everywhere).await;

    let goes = api.join("Gone").await;
    let goes = on_every_service(stage, &goes).await;
    ask(api, &goes).await;
    expect_dead(stage, report, "of an erased user", &goes).await;

    let late = api.join("Late").await;
    let sessions = stage.folder.join("db").join("auth-api.db");
    // All sessions of others end so too, so they are not touched: only the newest one is.
    let expire = "UPDATE session SET expires_at = 1 WHERE created_at = (SELECT max(created_at) FROM session)";
    databases::sqlite_execute(&sessions, expire).await;
    expect_dead(stage, report, "that is too old", &late).await;
}

/// Somebody with a token that each service has at hand.
async fn on_every_service(stage: &Stage, whose: &Birder) -> Birder {
    let api = &stage.api;
    let logged_in = api.log_in(whose.email.clone(), whose.password.clone());
    let birder = logged_in.await;
    for path in GUARDED.into_iter().chain([OPEN]) {
        assert_ne!(api.get_as(&birder, path).await.status, 401, "{path}");
    }
    birder
}

/// The address of the session that a token belongs to.
async fn session_of(stage: &Stage, birder: &Birder) -> String {
    let sessions = stage.api.get_as(birder, SESSIONS).await.expect(200).json;
    let sessions = sessions["items"].as_array().unwrap();
    let current = sessions.iter().find(|session| session["current"] == true);
    format!("{SESSIONS}/{}", current.unwrap()["id"].as_str().unwrap())
}

async fn expect_end(stage: &Stage, by: &Birder, method: Method, path: &str) {
    let token = Some(by.token.as_str());
    stage.api.send(method, path, token, None).await.expect(204);
}

async fn expect_dead(stage: &Stage, report: &mut Report, what: &str, birder: &Birder) {
    // What is promised is how long it may live, so that is waited for.
    tokio::time::sleep(SOON).await;
    for path in GUARDED.into_iter().chain([OPEN]) {
        let answer = stage.api.get_as(birder, path).await;
        report.status(
            &format!("4 a token {what}, a second later at {path}"),
            401,
            &answer,
        );
    }
}
