//! Fields that say more than they may, and texts that mean something to whoever stands behind.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::PHOTO;

use super::{Report, Stage};

pub async fn attack(stage: &Stage, report: &mut Report) {
    mass_assignment(stage, report).await;
    ratings(stage, report).await;
    line_breaks(stage, report).await;
    letters(stage, report).await;
    queries(stage, report).await;
    ids(stage, report).await;
}

async fn mass_assignment(stage: &Stage, report: &mut Report) {
    let (api, mallory) = (&stage.api, &stage.mallory);
    let (_, url) = api.upload(mallory, PHOTO).await;
    let account = json!({"email": "mass@example.org", "password": "long enough", "name": "M"});
    let tick = json!({"image": {"url": url}});
    let rating = json!({"rating": 5});
    let rate = stage.rating();
    for (method, path, body, fields) in [
        (
            Method::POST,
            "/api/v1/auth/register",
            &account,
            &["role", "id", "is_confirmed"][..],
        ),
        (
            Method::PATCH,
            "/api/v1/users/me",
            &json!({}),
            &["role", "id", "email_confirmed", "created_at"],
        ),
        (
            Method::POST,
            "/api/v1/ticks",
            &tick,
            &["user", "owner", "score", "source", "created_at"],
        ),
        (
            Method::PUT,
            rate.as_str(),
            &rating,
            &["owner", "user", "id", "score", "source"],
        ),
    ] {
        for field in fields {
            let mut body = body.clone();
            body[*field] = json!("admin");
            let token = Some(mallory.token.as_str());
            let answer = api.send(method.clone(), path, token, Some(&body)).await;
            let path = path.replace(&stage.image.to_string(), "{id}");
            report.status(&format!("8 {field} in {method} {path}"), 422, &answer);
        }
    }
}

async fn ratings(stage: &Stage, report: &mut Report) {
    let path = stage.rating();
    let own = stage
        .raw_json(Method::PUT, &path, Some(&stage.vera), r#"{"rating": 5}"#)
        .await;
    report.status("9 a rating of one's own picture", 403, &own);
    for (value, expected) in [
        ("0", 422),
        ("6", 422),
        ("-1", 422),
        ("4.5", 422),
        ("\"5\"", 422),
        ("null", 422),
        ("[5]", 422),
        ("true", 422),
        ("1e999", 422),
        ("NaN", 400),
        ("5, \"rating\": 1", 422),
        (
            "5, \"owner\": \"00000000-0000-4000-8000-000000000001\"",
            422,
        ),
    ] {
        let body = format!("{{\"rating\": {value}}}");
        let answer = stage
            .raw_json(Method::PUT, &path, Some(&stage.mallory), body)
            .await;
        report.status(&format!("9 a rating of {value}"), expected, &answer);
    }
}

/// Line breaks in whatever reaches a header of an answer or of a mail.
async fn line_breaks(stage: &Stage, report: &mut Report) {
    let api = &stage.api;
    let break_in = "a\r\nBcc: everybody@example.org";
    for (field, value) in [
        ("name", break_in.to_owned()),
        ("email", format!("{break_in}@example.org")),
        ("email", "a@example.org\r\nBcc: b@example.org".to_owned()),
    ] {
        let mut body = json!({"email": "crlf@example.org", "password": "long enough", "name": "C"});
        body[field] = json!(value);
        let answer = api.post("/api/v1/auth/register", &body).await;
        report.status(&format!("14 a line break in {field}"), 422, &answer);
    }
    let patch = json!({"preferences": {"locale": "en\r\nX-Evil: 1"}});
    let token = Some(stage.mallory.token.as_str());
    let answer = api
        .send(Method::PATCH, "/api/v1/users/me", token, Some(&patch))
        .await;
    report.status("14 a line break in the locale", 422, &answer);
    for path in [
        "/images/%0d%0aset-cookie:%20a=b/400.jpg",
        "/assets/%0d%0aset-cookie:%20a=b",
        "/unsubscribe/%0d%0aset-cookie:%20a=b",
        "/docs/%0d%0aset-cookie:%20a=b",
    ] {
        let answer = api.get(path).await;
        report.status(&format!("14 a line break in {path}"), 404, &answer);
        let is_split = answer.headers.contains_key("set-cookie");
        report.expect(
            &format!("14 and none in the answer to {path}"),
            &false,
            &is_split,
        );
    }
}

async fn letters(stage: &Stage, report: &mut Report) {
    let register = "/api/v1/auth/register";
    for (what, email, name, expected) in [
        (
            "an address with a composed letter",
            "zo\u{eb}@example.org",
            "Z",
            422,
        ),
        ("its twin", "zoe\u{308}@example.org", "Z", 422),
        (
            "an address with a zero-width space",
            "zoe\u{200b}@example.org",
            "Z",
            422,
        ),
        (
            "a name that turns the text around",
            "rlo@example.org",
            "a\u{202e}b",
            422,
        ),
        ("a name with U+0000", "nul@example.org", "a\u{0}b", 422),
    ] {
        let body = json!({"email": email, "password": "long enough", "name": name});
        let answer = stage.api.post(register, &body).await;
        report.status(&format!("15 {what}"), expected, &answer);
    }
    let half = r#"{"email": "half@example.org", "password": "long enough", "name": "\ud800"}"#;
    let answer = stage.raw_json(Method::POST, register, None, half).await;
    report.status("15 half of a letter", 422, &answer);
    let bytes = b"{\"rating\": 5, \"\xff\": 1}".to_vec();
    let request = stage
        .api
        .request(Method::PUT, &stage.rating())
        .bearer_auth(&stage.mallory.token)
        .header("content-type", "application/json")
        .body(bytes);
    let answer = stage.api.try_send(request).await.expect("an answer");
    report.status("15 bytes that are no text", 422, &answer);
    let answer = stage.api.get("/api/v1/species?q=%00").await;
    report.expect(
        "15 U+0000 in a search",
        &true,
        &(answer.status == 200 || answer.status == 422),
    );
}

/// What means something to a database, in every text of a query.
async fn queries(stage: &Stage, report: &mut Report) {
    let (api, mallory) = (&stage.api, &stage.mallory);
    let known = api
        .get("/api/v1/species?q=great%20tit&limit=5")
        .await
        .expect(200);
    for (what, text) in [
        ("a quote", "great tit'"),
        ("a condition", "great tit' OR '1'='1"),
        ("a comment", "great tit'--"),
        ("a union", "x' UNION SELECT password FROM credential--"),
        ("a wildcard", "%"),
        ("another wildcard", "_"),
        ("a second statement", "x'; DROP TABLE tick;--"),
    ] {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for (path, expected) in [
            (format!("/api/v1/species?q={text}&limit=5"), &[200][..]),
            (format!("/api/v1/feed?cursor={text}"), &[422]),
            (format!("/api/v1/feed?sort={text}"), &[422]),
            (format!("/api/v1/ticks?user={text}"), &[422]),
            (format!("/api/v1/users/me/lists/{text}"), &[404]),
            (format!("/api/v1/gdpr/requests/{text}"), &[404]),
            (
                format!("/api/v1/statistics/species/{text}/scores"),
                &[404, 422],
            ),
        ] {
            let answer = api.get_as(mallory, &path).await;
            let is_right = expected.contains(&answer.status.as_u16());
            let route = path.replace(&text, "");
            report.expect(&format!("16 {what} in {route}"), &true, &is_right);
            if route.starts_with("/api/v1/species") {
                let found = answer.json["items"].as_array().map_or(0, Vec::len);
                let most = known.json["items"].as_array().map_or(0, Vec::len);
                report.expect(&format!("16 {what} finds no more"), &true, &(found <= most));
            }
        }
        let login = json!({"email": format!("{text}@example.org"), "password": "' OR 1=1--"});
        let answer = api.post("/api/v1/auth/login", &login).await;
        let is_refused = answer.status == 401 || answer.status == 422;
        report.expect(&format!("16 {what} in an address"), &true, &is_refused);
    }
}

/// What means something in a subject of the broker, where an id belongs.
async fn ids(stage: &Stage, report: &mut Report) {
    let (api, mallory) = (&stage.api, &stage.mallory);
    let (_, url) = api.upload(mallory, PHOTO).await;
    for id in [
        "*",
        ">",
        ".",
        "a b",
        "$JS.API.STREAM.PURGE.TICK",
        "tick.new.v1.*",
        "",
    ] {
        let tick: Value = json!({"id": id, "image": {"url": url}});
        let answer = api.post_as(mallory, "/api/v1/ticks", &tick).await;
        report.status(&format!("20 a tick with the id {id:?}"), 422, &answer);
        let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let encoded = encoded.replace('+', "%20").replace('.', "%2E");
        if !encoded.is_empty() && id != "." {
            let path = format!("/api/v1/images/{encoded}/rating");
            let answer = api.put_as(mallory, &path, &json!({"rating": 5})).await;
            report.status(&format!("20 a rating of the image {id:?}"), 404, &answer);
        }
    }
}
