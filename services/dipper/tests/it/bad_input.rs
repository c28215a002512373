//! Invalid input of every field of every route: a clear answer, and nothing changes.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, NUTHATCH, PHOTO};
use uuid::Uuid;

use crate::round::tick_a_bird;
use crate::setup::up;

/// A request and the status and pointer that it must be answered with.
type Case = (Method, String, Value, u16, Option<&'static str>);

fn case(method: Method, path: &str, body: Value, status: u16, pointer: &'static str) -> Case {
    (
        method,
        path.to_owned(),
        body,
        status,
        (!pointer.is_empty()).then_some(pointer),
    )
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn account_cases() -> Vec<Case> {
    let register = |body| ("/api/v1/auth/register", body);
    let good = json!({"email": "a@example.org", "password": "long enough", "name": "A"});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        register(body)
    };
    let mut cases: Vec<Case> = [
        (with("email", json!("no address")), "/email"),
        (with("email", json!("")), "/email"),
        (with("email", json!(5)), "/email"),
        (
            with("email", json!(format!("{}@example.org", "a".repeat(400)))),
            "/email",
        ),
        (with("password", json!("short")), "/password"),
        (with("password", json!("x".repeat(5000))), "/password"),
        (with("name", json!("")), "/name"),
        (with("name", json!("a\u{0}b")), "/name"),
        (with("name", json!("x".repeat(5000))), "/name"),
        (with("surplus", json!(1)), "/surplus"),
        (
            register(json!({"email": "a@example.org", "name": "A"})),
            "/password",
        ),
    ]
    .into_iter()
    .map(|((path, body), pointer)| case(Method::POST, path, body, 422, pointer))
    .collect();
    cases.extend([
        case(
            Method::POST,
            "/api/v1/auth/confirm",
            json!({"token": "unknown"}),
            400,
            "",
        ),
        case(
            Method::POST,
            "/api/v1/auth/confirm",
            json!({"token": 1}),
            422,
            "/token",
        ),
        case(
            Method::POST,
            "/api/v1/auth/confirm",
            json!({}),
            422,
            "/token",
        ),
        case(
            Method::POST,
            "/api/v1/auth/login",
            json!({"email": "nobody@example.org", "password": "wrong one"}),
            401,
            "",
        ),
        case(
            Method::POST,
            "/api/v1/auth/login",
            json!({"email": 1, "password": "x"}),
            422,
            "/email",
        ),
        case(
            Method::POST,
            "/api/v1/auth/login",
            json!({"email": "a@example.org"}),
            422,
            "/password",
        ),
        case(
            Method::GET,
            "/api/v1/gdpr/requests/unknown",
            Value::Null,
            404,
            "",
        ),
        case(
            Method::GET,
            "/api/v1/gdpr/requests/unknown/download",
            Value::Null,
            404,
            "",
        ),
        case(Method::GET, "/unsubscribe/unknown", Value::Null, 404, ""),
        case(Method::GET, "/no/such/page", Value::Null, 404, ""),
        case(Method::GET, "/assets/no-such-file.js", Value::Null, 404, ""),
        case(Method::PUT, "/api/v1/auth/login", json!({}), 405, ""),
        case(Method::GET, "/api/v1/species", Value::Null, 422, "/q"),
        case(Method::GET, "/api/v1/species?q=", Value::Null, 422, "/q"),
        case(
            Method::GET,
            "/api/v1/species?q=tit&limit=0",
            Value::Null,
            422,
            "/limit",
        ),
        case(
            Method::GET,
            "/api/v1/species?q=tit&limit=101",
            Value::Null,
            422,
            "/limit",
        ),
        case(Method::GET, "/api/v1/feed?sort=worst", Value::Null, 422, ""),
        case(
            Method::GET,
            "/api/v1/feed?limit=many",
            Value::Null,
            422,
            "/limit",
        ),
        case(
            Method::GET,
            "/api/v1/feed?cursor=made-up",
            Value::Null,
            422,
            "/cursor",
        ),
        case(
            Method::GET,
            "/api/v1/statistics/timeseries?event=tick&from=yesterday&to=2026-01-02&bucket=day",
            Value::Null,
            422,
            "",
        ),
        case(
            Method::GET,
            "/api/v1/statistics/timeseries?event=egg&from=2026-01-01&to=2026-01-02&bucket=day",
            Value::Null,
            422,
            "",
        ),
        case(
            Method::GET,
            "/api/v1/statistics/timeseries?event=tick&from=2026-01-02&to=2026-01-01&bucket=day",
            Value::Null,
            422,
            "",
        ),
        case(
            Method::GET,
            "/api/v1/statistics/species/top?limit=1000",
            Value::Null,
            422,
            "/limit",
        ),
        case(
            Method::GET,
            "/images/not-an-id/400.jpg",
            Value::Null,
            404,
            "",
        ),
        case(
            Method::GET,
            &format!("/images/{}/400.jpg", Uuid::new_v4()),
            Value::Null,
            404,
            "",
        ),
        case(
            Method::GET,
            &format!("/api/v1/images/{}", Uuid::new_v4()),
            Value::Null,
            404,
            "",
        ),
    ]);
    cases
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn birder_cases(url: &str, image: Uuid) -> Vec<Case> {
    let good = json!({"image": {"url": url}});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let tick = "/api/v1/ticks";
    let unknown = format!("/images/{}/2048.jpg", Uuid::new_v4());
    let mut cases: Vec<Case> = [
        (json!({}), "/image"),
        (json!({"image": {}}), "/image/url"),
        (
            json!({"image": {"url": "https://example.com/bird.jpg"}}),
            "/image/url",
        ),
        (json!({"image": {"url": unknown}}), "/image/url"),
        (json!({"image": {"url": 7}}), "/image/url"),
        (json!({"image": {"url": url, "owner": "x"}}), "/image/owner"),
        (with("id", json!("not-a-uuid")), "/id"),
        (
            with("species", json!({"id": "avibase-00000000"})),
            "/species/id",
        ),
        (
            with("species", json!({"id": NUTHATCH, "english": "Nuthatch"})),
            "/species/english",
        ),
        (with("seen_on", json!("31.12.2025")), "/seen_on"),
        (with("seen_on", json!("2999-01-01")), "/seen_on"),
        (with("seen_on", json!("1066-10-14")), "/seen_on"),
        (with("count", json!(0)), "/count"),
        (with("count", json!(-1)), "/count"),
        (with("count", json!(1e12)), "/count"),
        (with("count", json!(1.5)), "/count"),
        (with("place", json!({"lat": 91, "lon": 0})), "/place/lat"),
        (with("place", json!({"lat": 0, "lon": 181})), "/place/lon"),
        (with("place", json!({"lat": 0})), "/place/lon"),
        (with("note", json!("x".repeat(3000))), "/note"),
        (with("note", json!(5)), "/note"),
        (with("surprise", json!(true)), "/surprise"),
    ]
    .into_iter()
    .map(|(body, pointer)| case(Method::POST, tick, body, 422, pointer))
    .collect();
    let rating = format!("/api/v1/images/{image}/rating");
    cases.extend([
        case(Method::PUT, &rating, json!({"rating": 0}), 422, "/rating"),
        case(Method::PUT, &rating, json!({"rating": 6}), 422, "/rating"),
        case(Method::PUT, &rating, json!({"rating": 4.5}), 422, "/rating"),
        case(Method::PUT, &rating, json!({"rating": "4"}), 422, "/rating"),
        case(
            Method::PUT,
            &rating,
            json!({"rating": null}),
            422,
            "/rating",
        ),
        case(Method::PUT, &rating, json!({}), 422, "/rating"),
        case(
            Method::PUT,
            &rating,
            json!({"rating": 4, "why": "nice"}),
            422,
            "/why",
        ),
        case(
            Method::PUT,
            &format!("/api/v1/images/{}/rating", Uuid::new_v4()),
            json!({"rating": 4}),
            404,
            "",
        ),
        case(
            Method::DELETE,
            &format!("/api/v1/ticks/{}", Uuid::new_v4()),
            Value::Null,
            404,
            "",
        ),
        case(
            Method::GET,
            "/api/v1/ticks?user=somebody",
            Value::Null,
            422,
            "/user",
        ),
        case(
            Method::GET,
            "/api/v1/ticks?user=me&limit=1000",
            Value::Null,
            422,
            "/limit",
        ),
        case(
            Method::GET,
            "/api/v1/users/me/lists/decade",
            Value::Null,
            404,
            "",
        ),
        case(
            Method::PATCH,
            "/api/v1/users/me",
            json!({"name": ""}),
            422,
            "/name",
        ),
        case(
            Method::PATCH,
            "/api/v1/users/me",
            json!({"email": "nobody"}),
            422,
            "/email",
        ),
        case(
            Method::PATCH,
            "/api/v1/users/me",
            json!({"role": "admin"}),
            422,
            "/role",
        ),
        case(
            Method::PATCH,
            "/api/v1/users/me",
            json!({"preferences": {"notifications": "sometimes"}}),
            422,
            "/preferences/notifications",
        ),
        case(
            Method::PATCH,
            "/api/v1/users/me",
            json!({"preferences": {"locale": "x".repeat(100)}}),
            422,
            "/preferences/locale",
        ),
        case(Method::POST, "/api/v1/gdpr/delete", json!({}), 422, ""),
        case(
            Method::POST,
            "/api/v1/gdpr/delete",
            json!({"password": "a", "code": "b"}),
            422,
            "",
        ),
        case(
            Method::DELETE,
            &format!("/api/v1/auth/sessions/{}", Uuid::new_v4()),
            Value::Null,
            404,
            "",
        ),
        case(Method::GET, "/api/v1/admin/overview", Value::Null, 404, ""),
        case(
            Method::GET,
            "/api/v1/admin/deliveries",
            Value::Null,
            404,
            "",
        ),
        case(
            Method::POST,
            "/api/v1/admin/dead-letters/decisions",
            json!({"action": "skip", "reason": "I want to", "consumer": "statistics"}),
            404,
            "",
        ),
        case(
            Method::PUT,
            &format!("/api/v1/admin/users/{}/role", Uuid::new_v4()),
            json!({"role": "admin", "reason": "I want to"}),
            404,
            "",
        ),
    ]);
    cases
}

async fn expect_all(api: &Api, birder: Option<&Birder>, cases: Vec<Case>) {
    for (method, path, body, status, pointer) in cases {
        let token = birder.map(|birder| birder.token.as_str());
        let answer = api
            .send(
                method.clone(),
                &path,
                token,
                (!body.is_null()).then_some(&body),
            )
            .await;
        let shown = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, status, "{method} {path} {body}: {shown}");
        answer.expect_problem(status, pointer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_with_the_field_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let (owner, rater) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, _) = tick_a_bird(&api, &owner).await;
    let (_, url) = api.upload(&rater, PHOTO).await;
    let before = api.figures().await;

    expect_all(&api, None, account_cases()).await;
    expect_all(&api, Some(&rater), birder_cases(&url, image)).await;
    uploads(&api, &rater).await;
    tokens(&api).await;
    bodies(&api, &rater).await;

    assert_eq!(api.figures().await["ratings"], before["ratings"]);
    let mine = api
        .get_as(&rater, "/api/v1/ticks?user=me")
        .await
        .expect(200)
        .json;
    assert_eq!(mine["items"], json!([]));
    assert_eq!(running.stop().await, Some(0));
}

/// Pictures that are none, too large, cut short, or not what their type says.
async fn uploads(api: &Api, birder: &Birder) {
    let cut = PHOTO[..PHOTO.len() / 2].to_vec();
    for (kind, body, status) in [
        ("image/jpeg", b"no picture".to_vec(), 422),
        ("image/jpeg", Vec::new(), 422),
        ("image/jpeg", cut, 422),
        ("image/png", PHOTO.to_vec(), 422),
        ("image/heic", PHOTO.to_vec(), 415),
        ("application/json", b"{}".to_vec(), 415),
        ("image/jpeg", vec![0xff; 21 * 1024 * 1024], 413),
    ] {
        let request = api
            .request(Method::POST, "/api/v1/images")
            .bearer_auth(&birder.token)
            .header("content-type", kind)
            .body(body);
        let answer = api.try_send(request).await.expect("an answer");
        assert!(
            answer.status == status || (status == 422 && answer.status == 415),
            "{kind} {status}: {}",
            String::from_utf8_lossy(&answer.bytes)
        );
        answer.expect_problem(answer.status.as_u16(), None);
    }
}

/// No, empty, unknown, huge and doubled tokens.
async fn tokens(api: &Api) {
    let huge = format!("Bearer {}", "x".repeat(4000));
    for value in [
        "",
        "Bearer ",
        "Bearer unknown",
        "Basic dXNlcjpwYXNz",
        huge.as_str(),
    ] {
        let request = api
            .request(Method::GET, "/api/v1/ticks?user=me")
            .header("authorization", value);
        api.try_send(request)
            .await
            .expect("an answer")
            .expect_problem(401, None);
    }
    let request = api
        .request(Method::GET, "/api/v1/users/me")
        .header("authorization", "Bearer a")
        .header("authorization", "Bearer b");
    api.try_send(request)
        .await
        .expect("an answer")
        .expect_problem(401, None);
}

/// Bodies that are no JSON, too large, or not declared as JSON.
async fn bodies(api: &Api, birder: &Birder) {
    let large = format!("{{\"note\": \"{}\"}}", "x".repeat(100 * 1024));
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "\u{0}", 400),
        ("application/json", "[]", 422),
        ("application/json", large.as_str(), 413),
        ("text/plain", "{}", 415),
    ] {
        let request = api
            .request(Method::POST, "/api/v1/ticks")
            .bearer_auth(&birder.token)
            .header("content-type", kind)
            .body(body.to_owned());
        api.try_send(request)
            .await
            .expect("an answer")
            .expect_problem(status, None);
    }
}
