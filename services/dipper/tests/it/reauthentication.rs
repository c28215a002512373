//! What a token that somebody got hold of must not be enough for is done within a quarter of an hour of a log-in, or when who
//! asks has proved again who they are.

use chassis::database::Sql;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Api, Birder, eventually};

use crate::setup::System;

const EXPORT: &str = "/api/v1/gdpr/export";
const PROVE: &str = "/api/v1/auth/reauthenticate";
const DECIDE: &str = "/api/v1/admin/dead-letters/decisions";
/// As if everybody had logged in sixteen minutes ago.
const LATER: Sql = Sql {
    sqlite: "UPDATE session SET proved_at = proved_at - 960000000",
    postgres: "UPDATE session SET proved_at = proved_at - 960000000",
};

async fn act(api: &Api, birder: &Birder, (method, path, body): &(Method, String, Value)) -> Answer {
    api.send(method.clone(), path, Some(&birder.token), Some(body))
        .await
}

/// Each service remembers for half a second who somebody is.
async fn refused(api: &Api, birder: &Birder, what: &(Method, String, Value)) {
    eventually("it asks who they are", || async {
        let answer = act(api, birder, what).await;
        let kind = &answer.json["type"];
        (kind == "/problems/reauthentication-required").then(|| answer.expect_problem(403, None))
    })
    .await;
}

fn what(method: Method, path: &str, body: Value) -> (Method, String, Value) {
    (method, path.to_owned(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_and_a_new_address_need_a_fresh_log_in_or_the_password() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let address = json!({"email": "ada-elsewhere@example.org"});
    let address = what(Method::PATCH, "/api/v1/users/me", address);
    let export = what(Method::POST, EXPORT, Value::Null);
    act(api, &ada, &export).await.expect(202);

    system.execute("auth-api", LATER).await;
    refused(api, &ada, &export).await;
    refused(api, &ada, &address).await;
    let name = json!({"name": "Ada L.", "preferences": {"locale": "sv"}});
    let harmless = what(Method::PATCH, "/api/v1/users/me", name);
    act(api, &ada, &harmless).await.expect(200);

    let wrong = json!({"password": "a guess"});
    let wrong = api.post_as(&ada, PROVE, &wrong).await;
    wrong.expect_problem(403, None);
    refused(api, &ada, &export).await;
    let right = json!({"password": ada.password});
    assert_eq!(api.post_as(&ada, PROVE, &right).await.status, 204);
    // At once, though the services remember what they heard.
    act(api, &ada, &export).await.expect(202);
    act(api, &ada, &address).await.expect(200);

    system.execute("auth-api", LATER).await;
    refused(api, &ada, &export).await;
    let again = api.log_in(ada.email.clone(), ada.password.clone()).await;
    act(api, &again, &export).await.expect(202);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admins_cannot_take_back_needs_it_too() {
    let system = System::up().await;
    let api = &system.api;
    let (admin, ada) = (system.admin().await, api.join("Ada").await);
    let because = json!({"reason": "The test wants it."});
    let role = json!({"role": "moderator", "reason": "The test wants it."});
    let skip = json!({"action": "skip", "consumer": "statistics", "reason": "The test wants it."});
    let let_in = json!({"until": null, "reason": "The test wants it."});
    let (user, erasure) = (format!("/api/v1/admin/users/{}", ada.id), ada.id);
    let acts = [
        what(Method::PUT, &format!("{user}/role"), role),
        what(Method::PUT, &format!("{user}/suspension"), let_in),
        what(
            Method::POST,
            &format!("/api/v1/admin/gdpr/requests/{erasure}/extension"),
            because.clone(),
        ),
        what(
            Method::POST,
            "/api/v1/admin/dead-letters/nothing/unmasking",
            because,
        ),
        what(Method::POST, DECIDE, skip),
    ];
    system.execute("auth-api", LATER).await;
    for one in &acts {
        refused(api, &admin, one).await;
        // For others these addresses do not exist, however long ago they logged in.
        act(api, &ada, one).await.expect_problem(404, None);
    }
    let right = json!({"password": admin.password});
    assert_eq!(api.post_as(&admin, PROVE, &right).await.status, 204);
    let [role, ..] = &acts;
    act(api, &admin, role).await.expect(200);
    system.stop().await;
}
