//! Accounts as admins and moderators see them, and who is shut out for a time.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use testkit::{Api, Birder};

use crate::moderation::moderator;
use crate::setup::System;

const SEARCH: &str = "/api/v1/admin/users/search";
const SESSIONS: &str = "/api/v1/auth/sessions";

fn path(birder: &Birder, what: &str) -> String {
    format!("/api/v1/admin/users/{}{what}", birder.id)
}

async fn suspend(api: &Api, by: &Birder, whom: &Birder, days: i64) -> (u16, Value) {
    let until = Utc::now() + TimeDelta::days(days);
    let body = json!({"until": until, "reason": "Insults others."});
    let answer = api.put_as(by, &path(whom, "/suspension"), &body).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_finds_an_account_by_its_address_and_ends_its_sessions() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let olga = api.join("Olga").await;
    let search = json!({"email": olga.email, "reason": "Wrote to us about a lost phone."});
    let found = api.post_as(&admin, SEARCH, &search).await.expect(200).json;
    assert_eq!(found["id"], olga.id.to_string());
    assert_eq!(
        (&found["role"], &found["sessions"]),
        (&json!("birder"), &json!(1))
    );
    assert_eq!(found["suspended_until"], Value::Null);
    assert!(!found.to_string().contains(&olga.email));

    let unknown = json!({"email": "nobody@example.org", "reason": "Wrote to us."});
    let unknown = api.post_as(&admin, SEARCH, &unknown).await;
    unknown.expect_problem(404, None);
    let idle = json!({"email": olga.email, "reason": ""});
    let idle = api.post_as(&admin, SEARCH, &idle).await;
    idle.expect_problem(422, Some("/reason"));
    let moderator = moderator(api, &admin).await;
    for birder in [&olga, &moderator] {
        let refused = api.post_as(birder, SEARCH, &search).await;
        refused.expect_problem(404, None);
    }

    let because = json!({"reason": "The phone is lost."});
    let ended = api.post_as(&admin, &path(&olga, "/logout"), &because).await;
    assert_eq!(ended.status, 204);
    assert_eq!(api.get_as(&olga, SESSIONS).await.status, 401);
    let log = api.get_as(&admin, "/api/v1/admin/audit").await.expect(200);
    let actions: Vec<&Value> = (0..3).map(|at| &log.json["items"][at]["action"]).collect();
    assert_eq!(actions, ["user.logout", "user.role", "user.find"]);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_is_logged_out_and_not_let_in_until_that_is_lifted_on_sqlite() {
    suspended_and_let_in(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_is_logged_out_and_not_let_in_until_that_is_lifted_on_postgres() {
    suspended_and_let_in(System::up_on_postgres().await).await;
}

async fn suspended_and_let_in(system: System) {
    let api = &system.api;
    let admin = system.admin().await;
    let moderator = moderator(api, &admin).await;
    let olga = api.join("Olga").await;
    assert_eq!(suspend(api, &olga, &moderator, 7).await.0, 404);
    for days in [-1, 400] {
        assert_eq!(suspend(api, &moderator, &olga, days).await.0, 422, "{days}");
    }
    let (status, account) = suspend(api, &moderator, &olga, 7).await;
    assert_eq!((status, &account["sessions"]), (200, &json!(0)));
    assert_eq!(api.get_as(&olga, SESSIONS).await.status, 401);

    let proof = json!({"email": olga.email, "password": olga.password});
    let refused = api.post("/api/v1/auth/login", &proof).await;
    refused.expect_problem(403, None);
    assert!(refused.headers.contains_key("retry-after"));
    let guessed = json!({"email": olga.email, "password": "not the right one"});
    let guessed = api.post("/api/v1/auth/login", &guessed).await;
    guessed.expect_problem(401, None);

    let lifted = json!({"until": null, "reason": "Apologised."});
    let of_olga = path(&olga, "/suspension");
    let lifted = api.put_as(&moderator, &of_olga, &lifted).await.expect(200);
    assert_eq!(lifted.json["suspended_until"], Value::Null);
    api.log_in(olga.email, olga.password).await;

    for (by, whom) in [
        (&moderator, &moderator),
        (&moderator, &admin),
        (&admin, &admin),
    ] {
        assert_eq!(suspend(api, by, whom, 7).await.0, 403);
    }
    assert_eq!(suspend(api, &admin, &moderator, 7).await.0, 200);
    system.stop().await;
}
