//! Who is too young cannot register, and nobody's date of birth is kept.

use serde_json::{Value, json};
use testkit::{Api, eventually};
use uuid::Uuid;

use crate::erasure::scan;
use crate::setup::{System, up};

/// Somebody who wants to register: nobody else has the address.
fn somebody() -> (String, Value) {
    let email = format!("{}@example.org", Uuid::new_v4().simple());
    let body = json!({"email": email, "password": "watches birds a lot", "name": "Kim"});
    (email, body)
}

fn born_on(mut body: Value, date: &str) -> Value {
    body["born_on"] = json!(date);
    body
}

async fn register(api: &Api, body: &Value) -> testkit::Answer {
    api.post("/api/v1/auth/register", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_date_is_nowhere_and_of_who_is_too_young_nothing_is() {
    let system = System::up().await;
    let api = &system.api;
    // A day that nothing else is about, in no other form than this.
    let (old_enough, body) = somebody();
    let born = "1961-11-23";
    register(api, &born_on(body, born)).await.expect(202);
    eventually("they are mailed", || async {
        (!api.mails_to(&old_enough).await.is_empty()).then_some(())
    })
    .await;
    let (young, body) = somebody();
    let refused = register(api, &born_on(body.clone(), "2019-10-27")).await;
    refused.expect_problem(422, Some("/born_on"));

    let known = json!({"email": old_enough, "password": "watches birds a lot", "name": "Kim"});
    let refused_as_well = register(api, &born_on(known, "2019-10-27")).await;
    assert_eq!(refused_as_well.json, refused.json, "it is the same answer");
    for answer in [&refused, &refused_as_well] {
        assert!(!answer.json.to_string().contains("2019"));
    }
    let needles = [born, "19611123", "2019-10-27", "20191027", young.as_str()];
    assert_eq!(scan(system.folder(), &needles).await, (Some(0), Vec::new()));
    // The address is nobody's yet: somebody old enough may have it.
    register(api, &born_on(body, "1990-01-01"))
        .await
        .expect(202);
    let folder = system.stop_and_keep().await;
    let needles = [born, "19611123", "2019-10-27", "20191027"];
    assert_eq!(scan(folder.path(), &needles).await, (Some(0), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_age_is_required_nobody_registers_without_a_birth_date() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path())
        .env("DIPPER_AGE_GATE", "required")
        .env("DIPPER_MINIMUM_AGE", "13")
        .start()
        .await;
    let api = Api::new(&running.url);
    let (_, body) = somebody();
    let refused = register(&api, &body).await;
    refused.expect_problem(422, Some("/born_on"));
    for no_date in ["soon", "31.05.1984", "2999-01-01"] {
        let refused = register(&api, &born_on(body.clone(), no_date)).await;
        refused.expect_problem(422, Some("/born_on"));
        assert!(!refused.json.to_string().contains(no_date));
    }
    // Fourteen years are enough here.
    let this_year = chrono::Utc::now().format("%Y").to_string();
    let fourteen: i32 = this_year.parse::<i32>().unwrap() - 14;
    let born = format!("{fourteen}-01-01");
    register(&api, &born_on(body, &born)).await.expect(202);
    assert_eq!(running.stop().await, Some(0));
}
