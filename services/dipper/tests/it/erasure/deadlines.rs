//! An erasure that takes long: who sees it, what can be done, and what its requester is told.

use chassis::database::Sql;
use serde_json::{Value, json};
use testkit::{Api, Birder, eventually};

use super::{ask, ended};
use crate::setup::System;

/// As if it had been asked for forty days ago.
const LONG_AGO: &str = "UPDATE erasure SET requested_at = requested_at - 3456000000000,
    due_at = due_at - 3456000000000";

#[tokio::test(flavor = "multi_thread")]
async fn admins_see_what_is_late_and_why_give_it_more_time_and_take_it_up_on_sqlite() {
    late_erasure(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_see_what_is_late_and_why_give_it_more_time_and_take_it_up_on_postgres() {
    late_erasure(System::up_on_postgres().await).await;
}

async fn late_erasure(system: System) {
    let api = &system.api;
    let admin = system.admin().await;
    let canary = api.join("Ada").await;
    let copy = system.folder().join("objects").join("copy");
    std::fs::write(&copy, canary.id.to_string()).unwrap();
    let status_url = ask(api, &canary).await;
    let open = eventually("the admin sees where it is stuck", || async {
        let open = only(api, &admin).await;
        (open["found_in"] == json!(["objects"])).then_some(open)
    })
    .await;
    assert_eq!(
        (&open["state"], &open["percent_used"]),
        (&json!("scanning"), &json!(0))
    );
    assert_eq!(open["waiting_for"], json!([]));
    assert!(!open.to_string().contains(&canary.id.to_string()));

    let (sqlite, postgres) = (LONG_AGO, LONG_AGO);
    system.execute("user-api", Sql { sqlite, postgres }).await;
    assert_eq!(only(api, &admin).await["percent_used"], 133);
    let request = format!(
        "/api/v1/admin/gdpr/requests/{}",
        open["id"].as_str().unwrap()
    );
    let extension = format!("{request}/extension");
    let because = json!({"reason": "A copy has to be found by hand."});
    for (who, status) in [(&canary, 401), (&admin, 204), (&admin, 404)] {
        let answer = api.post_as(who, &extension, &because).await;
        answer.expect(status);
    }
    assert_eq!(only(api, &admin).await["percent_used"], 44, "once");
    let status = api.get(&status_url).await.expect(200).json;
    assert_eq!(status["extension_reason"], because["reason"]);

    std::fs::remove_file(&copy).unwrap();
    let retry = format!("{request}/retry");
    let now = json!({"reason": "The copy is gone."});
    api.post_as(&admin, &retry, &now).await.expect(204);
    ended(api, &status_url).await;
    assert_eq!(all(api, &admin).await, Vec::<Value>::new());
    api.post_as(&admin, &retry, &now).await.expect(404);
    let audit = api.get_as(&admin, "/api/v1/admin/audit").await.expect(200);
    let actions = audit.json.to_string();
    assert!(actions.contains("gdpr.extend") && actions.contains("gdpr.retry"));
    system.stop().await;
}

async fn all(api: &Api, admin: &Birder) -> Vec<Value> {
    let open = api.get_as(admin, "/api/v1/admin/gdpr/requests").await;
    open.expect(200).json["items"].as_array().unwrap().clone()
}

async fn only(api: &Api, admin: &Birder) -> Value {
    let [open] = all(api, admin).await.try_into().unwrap();
    open
}
