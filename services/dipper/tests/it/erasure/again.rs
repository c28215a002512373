//! Whoever was erased may come back, as somebody else.

use serde_json::json;

use super::{ask, ended};
use crate::setup::System;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_address_registers_again_during_an_erasure_and_after_it() {
    let system = System::up().await;
    let api = &system.api;
    let first = api.join("Ada").await;
    let image = api.tick(&first).await;
    let status_url = ask(api, &first).await;
    // At once: whether the old account is gone by now is not the newcomer's concern.
    let second = api.join_with(&first.email, "Ada").await;
    ended(api, &status_url).await;
    let status_url = ask(api, &second).await;
    ended(api, &status_url).await;
    let third = api.join_with(&first.email, "Ada").await;

    assert_ne!(first.id, second.id);
    assert!(![first.id, second.id].contains(&third.id));
    for (old, path) in [
        (&first, "/api/v1/users/me"),
        (&second, "/api/v1/ticks?user=me"),
    ] {
        api.get_as(old, path).await.expect_problem(401, None);
    }
    let login = json!({"email": first.email, "password": first.password});
    let refused = api.post("/api/v1/auth/login", &login).await;
    refused.expect_problem(401, None);
    api.get(&format!("/images/{image}/400.jpg"))
        .await
        .expect_problem(410, None);
    let ticks = api
        .get_as(&third, "/api/v1/ticks?user=me")
        .await
        .expect(200);
    assert_eq!(ticks.json["items"], json!([]), "nothing is carried over");
    for id in [first.id, second.id] {
        assert_eq!(system.tables_naming(id).await, Vec::<String>::new());
    }
    system.stop().await;
}
