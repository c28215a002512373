//! What is mailed and works once: twice, too late, for another purpose, for somebody else; and where its links lead.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::api::token_in;
use testkit::{Answer, Birder, databases};
use uuid::Uuid;

use super::{Report, Stage};
use crate::address::mail_to;

const REGISTER: &str = "/api/v1/auth/register";
const CONFIRM: &str = "/api/v1/auth/confirm";
const RESET: &str = "/api/v1/auth/password/reset";
const CHOOSE: &str = "/api/v1/auth/password/reset/confirm";
const ME: &str = "/api/v1/users/me";
const ERASE: &str = "/api/v1/gdpr/delete";
const CODE_DIGITS: usize = 8;
const NEW_PASSWORD: &str = "a heron stands still";

pub async fn attack(stage: &Stage, report: &mut Report) {
    registration(stage, report).await;
    let hilda = stage.api.join("Hilda").await;
    password(stage, report, &hilda).await;
    address(stage, report, &hilda).await;
    code(stage, report).await;
}

async fn registration(stage: &Stage, report: &mut Report) {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let email = new_address();
        let body = json!({"email": email, "password": "long enough", "name": "Hilda"});
        let sent = misled(stage, Method::POST, REGISTER, None, &body).await;
        sent.expect(202);
        tokens.push(linked(stage, report, &email, "Confirm your").await);
    }
    let [used, late] = &tokens[..] else { return };
    let other = json!({"token": used, "password": NEW_PASSWORD});
    let answer = stage.api.post(CHOOSE, &other).await;
    report.status("7 a link that confirms chooses no password", 400, &answer);
    let first = confirm(stage, used).await;
    report.status("7 a link that was mailed works", 200, &first);
    let second = confirm(stage, used).await;
    report.status("7 and works once", 400, &second);
    expire(stage, "auth-api", "UPDATE confirmation SET expires_at = 1").await;
    let answer = confirm(stage, late).await;
    report.status("7 and not too late", 400, &answer);
}

async fn password(stage: &Stage, report: &mut Report, hilda: &Birder) {
    let api = &stage.api;
    let body = json!({"email": hilda.email});
    misled(stage, Method::POST, RESET, None, &body)
        .await
        .expect(202);
    let token = linked(stage, report, &hilda.email, "Choose a new").await;
    let answer = confirm(stage, &token).await;
    report.status("7 a link for a password confirms nothing", 400, &answer);
    expire(
        stage,
        "auth-api",
        "UPDATE password_reset SET expires_at = 1",
    )
    .await;
    let choice = json!({"token": token, "password": NEW_PASSWORD});
    let answer = api.post(CHOOSE, &choice).await;
    report.status("7 a link for a password, too late", 400, &answer);
    let body = json!({"email": hilda.email, "password": hilda.password});
    let answer = api.post("/api/v1/auth/login", &body).await;
    report.status("7 the password is what it was", 200, &answer);
}

async fn address(stage: &Stage, report: &mut Report, hilda: &Birder) {
    let new = new_address();
    let body = json!({"email": new});
    let asked = misled(stage, Method::PATCH, ME, Some(hilda), &body).await;
    asked.expect(200);
    let token = linked(stage, report, &new, "Confirm your new address").await;
    expire(
        stage,
        "user-api",
        "UPDATE address_change SET expires_at = 1",
    )
    .await;
    let answer = confirm(stage, &token).await;
    report.status("7 a link for an address, too late", 400, &answer);
    let profile = stage.api.get_as(hilda, ME).await.expect(200).json;
    report.expect(
        "7 the address is what it was",
        &json!(hilda.email),
        &profile["email"],
    );
}

/// The code that is mailed in place of a password is its owner's alone.
async fn code(stage: &Stage, report: &mut Report) {
    let api = &stage.api;
    let ida = api.join("Ida").await;
    let asked = api.post_as(&ida, "/api/v1/gdpr/code", &json!({})).await;
    report.status("7 a code is mailed", 202, &asked);
    let mail = mail_to(api, &ida.email, "code").await;
    let body = json!({"code": code_in(&mail).expect("a code")});
    let answer = api.post_as(&stage.mallory, ERASE, &body).await;
    report.status("7 another's code", 403, &answer);
    expire(stage, "auth-api", "UPDATE mailed_code SET expires_at = 1").await;
    let answer = api.post_as(&ida, ERASE, &body).await;
    report.status("7 a code, too late", 403, &answer);
    for (who, birder) in [
        ("7 its owner is still there", &ida),
        ("7 so is the other", &stage.mallory),
    ] {
        let me = api.get_as(birder, ME).await;
        report.status(who, 200, &me);
    }
}

/// A request whose headers name another host.
async fn misled(
    stage: &Stage,
    method: Method,
    path: &str,
    by: Option<&Birder>,
    body: &Value,
) -> Answer {
    let mut request = stage
        .api
        .request(method, path)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-original-url", "https://evil.example/")
        .header("forwarded", "host=evil.example;proto=http")
        .json(body);
    if let Some(by) = by {
        request = request.bearer_auth(&by.token);
    }
    stage.api.try_send(request).await.expect("an answer")
}

/// The token of the link that was mailed to an address.
async fn linked(stage: &Stage, report: &mut Report, email: &str, subject: &str) -> String {
    let mail = mail_to(&stage.api, email, subject).await;
    let ours = format!("{}/", stage.running.url);
    let is_ours = ["text", "html"].iter().all(|part| {
        let part = mail[part].as_str().unwrap_or_default();
        part.contains(&ours) && !part.contains("evil.example")
    });
    let what = format!("7 the link of {subject:?} does not follow the Host header");
    report.expect(&what, &true, &is_ours);
    token_in(&mail).expect("a link")
}

fn code_in(mail: &Value) -> Option<String> {
    let text = mail["text"].as_str()?;
    let mut words = text.split(|letter: char| !letter.is_ascii_digit());
    words
        .find(|word| word.len() == CODE_DIGITS)
        .map(str::to_owned)
}

async fn confirm(stage: &Stage, token: &str) -> Answer {
    stage.api.post(CONFIRM, &json!({"token": token})).await
}

async fn expire(stage: &Stage, service: &str, statement: &'static str) {
    let file = stage.folder.join("db").join(format!("{service}.db"));
    databases::sqlite_execute(&file, statement).await;
}

fn new_address() -> String {
    format!("host-{}@example.org", Uuid::new_v4().simple())
}
