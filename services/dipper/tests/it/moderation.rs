//! Reported photos: hidden from all but their owner and moderators, and shown again after an appeal.

use serde_json::{Value, json};
use testkit::{Api, Birder, Wire};
use uuid::Uuid;

use crate::erasure::erase;
use crate::round::tick_a_bird;
use crate::setup::System;

const CASES: &str = "/api/v1/admin/reports";

/// Somebody whom the admin made a moderator.
pub async fn moderator(api: &Api, admin: &Birder) -> Birder {
    let birder = api.join("Mona").await;
    let role = json!({"role": "moderator", "reason": "Helps with the reports."});
    let path = format!("/api/v1/admin/users/{}/role", birder.id);
    api.put_as(admin, &path, &role).await.expect(200);
    api.log_in(birder.email, birder.password).await
}

/// Reports somebody's photo.
pub async fn report(api: &Api, reporter: &Birder, image: Uuid) {
    let path = format!("/api/v1/images/{image}/reports");
    let report = json!({"category": "not-a-bird", "note": "That is a squirrel."});
    api.post_as(reporter, &path, &report).await.expect(202);
}

/// Photos that moderators have to decide about, or have decided about.
pub async fn cases(api: &Api, moderator: &Birder, state: &str) -> Vec<Value> {
    let path = format!("{CASES}?state={state}");
    let list = api.get_as(moderator, &path).await.expect(200).json;
    list["items"].as_array().unwrap().clone()
}

/// Decides about one of them; the status of the answer.
pub async fn decide(api: &Api, moderator: &Birder, case: &Value, decision: &Value) -> u16 {
    let path = format!("{CASES}/{}/decisions", case["id"].as_str().unwrap());
    let answer = api.post_as(moderator, &path, decision).await;
    answer.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_photo_is_hidden_and_shown_again_on_sqlite() {
    reported_hidden_and_shown(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_photo_is_hidden_and_shown_again_on_postgres() {
    reported_hidden_and_shown(System::up_on_postgres().await).await;
}

async fn reported_hidden_and_shown(system: System) {
    let api = &system.api;
    let admin = system.admin().await;
    let moderator = moderator(api, &admin).await;
    let (owner, other) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, _) = tick_a_bird(api, &owner).await;
    is_reported(api, (&owner, &other), image).await;

    let open = cases(api, &moderator, "open").await;
    assert_eq!(open.len(), 1);
    let case = &open[0];
    let counted = json!([{"category": "not-a-bird", "count": 1}]);
    assert_eq!(case["reports"], counted);
    assert_eq!(case["newest"][0]["note"], "That is a squirrel.");
    assert_eq!(case["owner"]["id"], owner.id.to_string());
    let who = other.id.to_string();
    assert!(
        !case.to_string().contains(&who),
        "nobody learns who reported"
    );
    is_hidden(api, &moderator, case).await;
    only_some_see(api, (&owner, &other, &moderator), image).await;

    appeals(api, (&owner, &other), image).await;
    let open = cases(api, &moderator, "open").await;
    assert_eq!(open[0]["appeal"]["note"], "It is a red squirrel cuckoo.");
    let shown = json!({"action": "unhide", "reason": "It is one indeed."});
    assert_eq!(decide(api, &admin, case, &shown).await, 204);
    let page = format!("/api/v1/images/{image}");
    api.get_as(&other, &page).await.expect(200);
    let feed = api.get("/api/v1/feed").await.expect(200).json;
    assert_eq!(feed["items"][0]["id"], image.to_string());
    assert_eq!(
        actions(api, &admin).await[..2],
        ["image.unhide", "image.hide"]
    );

    leaves_nothing(system, (&owner, &other), image).await;
}

async fn is_reported(api: &Api, (owner, other): (&Birder, &Birder), image: Uuid) {
    let path = format!("/api/v1/images/{image}/reports");
    let fine = json!({"category": "not-a-bird", "note": "That is a squirrel."});
    report(api, other, image).await;
    report(api, other, image).await;
    api.post(&path, &fine).await.expect_problem(401, None);
    let own = api.post_as(owner, &path, &fine).await;
    own.expect_problem(403, None);
    let unknown = format!("/api/v1/images/{}/reports", Uuid::new_v4());
    let unknown = api.post_as(other, &unknown, &fine).await;
    unknown.expect_problem(404, None);
    let long = json!({"category": "other", "note": "x".repeat(501)});
    let long = api.post_as(other, &path, &long).await;
    long.expect_problem(422, Some("/note"));
    let vague = api
        .post_as(other, &path, &json!({"category": "ugly"}))
        .await;
    assert_eq!(vague.status, 422);
    let queue = api.get_as(other, CASES).await;
    queue.expect_problem(404, None);
}

/// Hides it, for a reason and once.
async fn is_hidden(api: &Api, moderator: &Birder, case: &Value) {
    for bad in [
        json!({"action": "hide", "category": "not-a-bird"}),
        json!({"action": "hide", "category": "not-a-bird", "reason": " "}),
        json!({"action": "hide", "reason": "It is a squirrel."}),
        json!({"action": "dismiss", "category": "other", "reason": "It is fine."}),
    ] {
        assert_eq!(decide(api, moderator, case, &bad).await, 422, "{bad}");
    }
    let hide = json!({"action": "hide", "category": "not-a-bird", "reason": "It is a squirrel."});
    assert_eq!(decide(api, moderator, case, &hide).await, 204);
    assert_eq!(decide(api, moderator, case, &hide).await, 409);
    assert_eq!(cases(api, moderator, "open").await, Vec::<Value>::new());
    let decided = cases(api, moderator, "decided").await;
    assert_eq!(decided[0]["hidden_for"], "not-a-bird");
    let unknown = json!({"id": Uuid::new_v4()});
    assert_eq!(decide(api, moderator, &unknown, &hide).await, 404);
}

async fn only_some_see(
    api: &Api,
    (owner, other, moderator): (&Birder, &Birder, &Birder),
    image: Uuid,
) {
    let page = format!("/api/v1/images/{image}");
    let picture = format!("/images/{image}/400.jpg");
    for path in [&page, &picture] {
        api.get(path).await.expect_problem(404, None);
        api.get_as(other, path).await.expect_problem(404, None);
    }
    let rating = json!({"rating": 5});
    let rated = api.put_as(other, &format!("{page}/rating"), &rating).await;
    rated.expect_problem(404, None);
    for sort in ["new", "best"] {
        let path = format!("/api/v1/feed?sort={sort}");
        let feed = api.get_as(other, &path).await.expect(200);
        assert_eq!(feed.json["items"], json!([]));
    }
    let seen = api.get_as(owner, &page).await.expect(200).json;
    let hidden = json!({"category": "not-a-bird", "is_appealed": false});
    assert_eq!(seen["hidden"], hidden);
    for few in [owner, moderator] {
        let headers = api.get_as(few, &picture).await.expect(200).headers;
        assert_eq!(headers["cache-control"], "private, no-store");
    }
}

async fn appeals(api: &Api, (owner, other): (&Birder, &Birder), image: Uuid) {
    let path = format!("/api/v1/images/{image}/appeal");
    let appeal = json!({"note": "It is a red squirrel cuckoo."});
    let not_theirs = api.post_as(other, &path, &appeal).await;
    not_theirs.expect_problem(404, None);
    api.post_as(owner, &path, &appeal).await.expect(202);
    let again = json!({"note": "Look again."});
    api.post_as(owner, &path, &again).await.expect(202);
    let page = format!("/api/v1/images/{image}");
    let seen = api.get_as(owner, &page).await.expect(200).json;
    assert_eq!(seen["hidden"]["is_appealed"], true);
}

async fn actions(api: &Api, admin: &Birder) -> Vec<String> {
    let audit = api.get_as(admin, "/api/v1/admin/audit").await.expect(200);
    let entries = audit.json["items"].as_array().unwrap().clone();
    let actions = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap());
    actions.map(str::to_owned).collect()
}

/// Who reported goes, then whose photo it was; nothing of either is left anywhere.
async fn leaves_nothing(system: System, (owner, other): (&Birder, &Birder), image: Uuid) {
    let api = &system.api;
    let wire = Wire::connect(system.folder(), "operator").await;
    erase(api, other).await;
    erase(api, owner).await;
    for id in [other.id, owner.id, image] {
        assert_eq!(wire.streams_naming(id).await, Vec::<String>::new());
        assert_eq!(system.tables_naming(id).await, Vec::<String>::new());
    }
    system.stop().await;
}
