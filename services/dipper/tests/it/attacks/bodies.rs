//! Bodies that are too deep, too large, packed, or a form's.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::Value;
use testkit::Birder;

use super::{Report, Stage};

pub async fn attack(stage: &Stage, report: &mut Report) {
    json_bodies(stage, report).await;
    forms(stage, report).await;
}

async fn json_bodies(stage: &Stage, report: &mut Report) {
    let by = Some(&stage.mallory);
    let deep = format!("{{\"note\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let keys: Vec<String> = (0..1_000_000).map(|key| format!("\"k{key}\":1")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let large = format!("{{\"note\": \"{}\"}}", "x".repeat(11_000_000));
    for (what, body, expected) in [
        ("a depth of 10,000", deep.as_str(), 422),
        ("a million keys", &keys, 413),
        ("11 MB", &large, 413),
        ("a key twice", r#"{"count": 1, "count": 2}"#, 422),
        ("a list", "[1, 2]", 422),
        ("nothing", "", 400),
        ("two documents", "{} {}", 400),
    ] {
        let answer = stage
            .raw_json(Method::POST, "/api/v1/ticks", by, body.to_owned())
            .await;
        report.status(&format!("10 a body of {what}"), expected, &answer);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; 10_000_000]).unwrap();
    let request = stage
        .api
        .request(Method::POST, "/api/v1/ticks")
        .bearer_auth(&stage.mallory.token)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(packed.finish().unwrap());
    let answer = stage.api.try_send(request).await.expect("an answer");
    report.status("10 a body that unpacks to 10 MB", 415, &answer);
}

/// What a page of another site can make a browser send without asking: bodies of forms.
async fn forms(stage: &Stage, report: &mut Report) {
    let document = stage.api.get("/api/openapi.json").await.expect(200).json;
    let kinds = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let takes_json = &operation["requestBody"]["content"]["application/json"];
            if *takes_json == Value::Null || !path.starts_with("/api/v1/admin") {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            for kind in kinds {
                let answer = form(stage, &stage.admin, &method, path, kind).await;
                let what = kind.split(';').next().unwrap_or_default();
                report.expect(&format!("12 {what} to {method} {path}"), &415, &answer);
            }
        }
    }
}

async fn form(stage: &Stage, by: &Birder, method: &Method, path: &str, kind: &str) -> u16 {
    let request = stage
        .api
        .request(method.clone(), &super::routes::filled(path))
        .bearer_auth(&by.token)
        .header("content-type", kind)
        .body("{\"reason\": \"by a form\"}");
    let answer = stage.api.try_send(request).await.expect("an answer");
    answer.status.as_u16()
}
