//! Whoever changes their address has the new one when its link is opened, and not before; of the old one nothing
//! stays.

use chassis::database::Sql;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::api::token_in;
use testkit::{Answer, Api, Birder, eventually};
use uuid::Uuid;

use crate::erasure::{erase, scan};
use crate::export::{download, exported};
use crate::setup::System;

const ME: &str = "/api/v1/users/me";
/// As if the link had been mailed two days ago.
const TOO_OLD: Sql = Sql {
    sqlite: "UPDATE address_change SET expires_at = expires_at - 172800000000",
    postgres: "UPDATE address_change SET expires_at = expires_at - 172800000000",
};

fn address(name: &str) -> String {
    format!("{name}-{}@example.org", Uuid::new_v4().simple())
}

async fn change_to(api: &Api, birder: &Birder, email: &str) -> Answer {
    let body = json!({"email": email});
    api.send(Method::PATCH, ME, Some(&birder.token), Some(&body))
        .await
}

/// A mail to an address with these words in its subject.
pub async fn mail_to(api: &Api, address: &str, subject: &str) -> Value {
    eventually("the mail is there", || async {
        let mails = api.mails_to(address).await;
        mails
            .into_iter()
            .find(|mail| mail["subject"].as_str().unwrap().contains(subject))
    })
    .await
}

/// What the link holds that was mailed to a new address.
async fn link_to(api: &Api, address: &str) -> String {
    let mail = mail_to(api, address, "Confirm your new address").await;
    token_in(&mail).unwrap()
}

async fn confirm(api: &Api, token: &str) -> Answer {
    let token = json!({"token": token});
    api.post("/api/v1/auth/confirm", &token).await
}

async fn can_log_in(api: &Api, birder: &Birder, email: &str) -> bool {
    let body = json!({"email": email, "password": birder.password});
    let answer = api.post("/api/v1/auth/login", &body).await;
    assert!([200, 401].contains(&answer.status.as_u16()));
    answer.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_when_the_new_one_is_confirmed_on_sqlite() {
    changed_address(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_when_the_new_one_is_confirmed_on_postgres() {
    changed_address(System::up_on_postgres().await).await;
}

async fn changed_address(system: System) {
    let api = &system.api;
    let ada = api.join("Ada").await;
    let new = address("new");
    let asked = change_to(api, &ada, &new).await.expect(200).json;
    assert_eq!(
        (&asked["email"], &asked["new_email"]),
        (&json!(ada.email), &json!(new))
    );
    let token = link_to(api, &new).await;
    let notice = mail_to(api, &ada.email, "to change").await;
    assert!(!notice.to_string().contains(&new), "{notice}");
    assert!(can_log_in(api, &ada, &ada.email).await);
    assert!(!can_log_in(api, &ada, &new).await);
    let archive = download(api, &exported(api, &ada).await).await;
    let rows = archive.rows("user-api", "address_change");
    assert_eq!(rows[0]["email_sealed"], json!(new));

    confirm(api, &token).await.expect(200);

    confirm(api, &token).await.expect_problem(400, None);
    assert!(can_log_in(api, &ada, &new).await);
    assert!(!can_log_in(api, &ada, &ada.email).await);
    let profile = api.get_as(&ada, ME).await.expect(200).json;
    assert_eq!(
        (&profile["email"], &profile["new_email"]),
        (&json!(new), &Value::Null)
    );
    eventually("the old address is nowhere", || async {
        let (code, _) = scan(system.folder(), &[&ada.email]).await;
        (code == Some(0)).then_some(())
    })
    .await;
    // It may be somebody else's now.
    let other = api.join_with(&ada.email, "Ben").await;
    assert_ne!(other.id, ada.id);
    erase(api, &ada).await;
    let found = scan(system.folder(), &[new]).await;
    assert_eq!(found, (Some(0), Vec::new()));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_an_address_is_taken_shows_in_its_mailbox_only() {
    let system = System::up().await;
    let api = &system.api;
    let (ada, ben) = (api.join("Ada").await, api.join("Ben").await);
    let free = address("free");
    let answered = async |email: &str| {
        let mut answer = change_to(api, &ada, email).await.expect(200).json;
        assert_eq!(answer["new_email"], json!(email));
        answer["new_email"] = Value::Null;
        answer
    };
    let of_free = answered(&free).await;
    let link = link_to(api, &free).await;
    assert_eq!(answered(&ben.email).await, of_free);
    mail_to(api, &ben.email, "already").await;
    let mails = api.mails_to(&ben.email).await;
    assert!(
        mails
            .iter()
            .all(|mail| !mail["subject"].to_string().contains("new address"))
    );
    // Who wanted the free one, and then another, cannot confirm the first any more.
    confirm(api, &link).await.expect_problem(400, None);
    assert!(can_log_in(api, &ben, &ben.email).await);
    assert!(can_log_in(api, &ada, &ada.email).await);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_time_its_person_and_whoever_comes_first() {
    let system = System::up().await;
    let api = &system.api;
    let [ada, ben, cyd] = [
        api.join("Ada").await,
        api.join("Ben").await,
        api.join("Cyd").await,
    ];
    let wanted = address("wanted");
    change_to(api, &ada, "nobody")
        .await
        .expect_problem(422, Some("/email"));
    change_to(api, &ada, &wanted).await.expect(200);
    let too_slow = link_to(api, &wanted).await;
    api.join_with(&wanted, "Dan").await;
    confirm(api, &too_slow).await.expect_problem(400, None);

    let late = address("late");
    change_to(api, &ben, &late).await.expect(200);
    let token = link_to(api, &late).await;
    system.execute("user-api", TOO_OLD).await;
    confirm(api, &token).await.expect_problem(400, None);
    let profile = api.get_as(&ben, ME).await.expect(200).json;
    assert_eq!(profile["new_email"], Value::Null);

    let waiting = address("waiting");
    change_to(api, &cyd, &waiting).await.expect(200);
    let token = link_to(api, &waiting).await;
    erase(api, &cyd).await;
    confirm(api, &token).await.expect_problem(400, None);
    let found = scan(system.folder(), &[&waiting, &cyd.email]).await;
    assert_eq!(found, (Some(0), Vec::new()));
    system.stop().await;
}
