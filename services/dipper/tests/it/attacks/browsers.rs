//! What browsers are told: which sites may use the API, and what pages may do.

use reqwest::Method;
use testkit::Answer;

use super::{APP, Report, Stage};

pub async fn attack(stage: &Stage, report: &mut Report) {
    for (origin, allowed) in [
        (APP, Some(APP)),
        ("https://evil.example", None),
        ("null", None),
        ("https://app.example.org.evil.example", None),
        ("http://app.example.org", None),
        ("https://app.example.org:8443", None),
    ] {
        let plain = from(stage, origin, Method::GET, "/api/v1/feed").await;
        let preflight = from(stage, origin, Method::OPTIONS, &stage.rating()).await;
        for (what, answer) in [("GET", plain), ("a preflight", preflight)] {
            let told = answer.headers.get("access-control-allow-origin");
            let told = told.and_then(|value| value.to_str().ok());
            report.expect(&format!("17 {what} from {origin}"), &allowed, &told);
            let cookies = answer
                .headers
                .contains_key("access-control-allow-credentials");
            report.expect(
                &format!("17 {what} from {origin}: cookies"),
                &false,
                &cookies,
            );
        }
    }
    headers(stage, report).await;
}

async fn from(stage: &Stage, origin: &str, method: Method, path: &str) -> Answer {
    let request = stage
        .api
        .request(method, path)
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization");
    stage.api.try_send(request).await.expect("an answer")
}

/// Every kind of answer: pages, data, files, problems.
async fn headers(stage: &Stage, report: &mut Report) {
    for path in [
        "/",
        "/admin/",
        "/privacy",
        "/docs/",
        "/docs/events",
        "/dev/mail",
        "/assets/api.js",
        "/api/v1/feed",
        "/api/v1/users/me",
        "/api/openapi.json",
        "/no/such/page",
        "/healthz",
    ] {
        let answer = stage.api.get(path).await;
        expect_headers(report, path, &answer, "same-origin");
    }
    let mine = stage.api.get_as(&stage.vera, "/api/v1/users/me").await;
    let cached = header(&mine, "cache-control");
    report.expect("one's own answers are in no cache", &"no-store", &cached);
    let picture = format!("/images/{}/400.jpg", stage.image);
    let picture = stage.api.get(&picture).await;
    // Mails show it.
    expect_headers(report, "a picture", &picture, "cross-origin");
    let policy = header(&picture, "content-security-policy");
    report.expect(
        "a picture runs nothing",
        &true,
        &policy.ends_with("sandbox"),
    );
    let cookie = header(&picture, "set-cookie");
    report.expect("a picture sets no cookie", &"", &cookie);
}

fn expect_headers(report: &mut Report, what: &str, answer: &Answer, sites: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", sites),
        ("content-security-policy", "default-src 'none'"),
        ("permissions-policy", "microphone=()"),
    ] {
        let is_told = header(answer, name).contains(value);
        report.expect(&format!("{name} of {what}"), &true, &is_told);
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
