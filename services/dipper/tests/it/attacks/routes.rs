//! Every route of the operators with the token of somebody who is none; made from the OpenAPI document, so that a new route is
//! covered on the day that it is made.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Report, Stage};

/// What moderators may do as well.
const MODERATORS: [(&str, &str); 5] = [
    ("GET", "/api/v1/admin/me"),
    ("GET", "/api/v1/admin/reports"),
    ("POST", "/api/v1/admin/reports/{id}/decisions"),
    ("GET", "/api/v1/admin/users/{id}"),
    ("PUT", "/api/v1/admin/users/{id}/suspension"),
];

pub async fn attack(stage: &Stage, report: &mut Report) {
    let document = stage.api.get("/api/openapi.json").await.expect(200).json;
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/admin") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            routes += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let is_for_moderators = MODERATORS.contains(&(method.as_str(), path));
            let body = (operation["requestBody"] != Value::Null).then(|| json!({}));
            for (who, token, expected) in [
                ("nobody's", None, 401),
                ("a birder's", Some(&stage.mallory.token), 404),
                ("a moderator's", Some(&stage.moderator.token), 404),
            ] {
                if who == "a moderator's" && is_for_moderators {
                    continue;
                }
                let token = token.map(String::as_str);
                let path_of = filled(path);
                let answer = stage
                    .api
                    .send(method.clone(), &path_of, token, body.as_ref());
                report.status(
                    &format!("23 {method} {path} with {who} token"),
                    expected,
                    &answer.await,
                );
            }
        }
    }
    report.expect("23 the document names the routes", &true, &(routes > 20));
    for path in [
        "/internal",
        "/debug",
        "/.env",
        "/admin/../api/v1/admin/overview",
        "/server-status",
    ] {
        let answer = stage.api.get_as(&stage.mallory, path).await;
        report.status(&format!("23 {path}"), 404, &answer);
    }
}

/// A path with something in each of its places.
pub fn filled(path: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let parts = path.split('/').map(|part| match part {
        "{service}" => "statistics",
        part if part.starts_with('{') => &id,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}
