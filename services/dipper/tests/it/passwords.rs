//! Whoever changes their password, or chooses a new one by a mailed link, is the only one who is logged in afterwards; whether
//! an address is known shows in its mailbox only.

use chassis::database::Sql;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::api::token_in;
use testkit::{Answer, Api, Birder, eventually};

use crate::address::mail_to;
use crate::erasure::erase;
use crate::setup::System;

const PASSWORD: &str = "/api/v1/auth/password";
const RESET: &str = "/api/v1/auth/password/reset";
const CONFIRM: &str = "/api/v1/auth/password/reset/confirm";
const SESSIONS: &str = "/api/v1/auth/sessions";
const NEW: &str = "a heron stands still";
const CHOOSE: &str = "Choose a new Dipper password";
/// As if all links had been mailed an hour ago.
const TOO_OLD: Sql = Sql {
    sqlite: "UPDATE password_reset SET expires_at = expires_at - 3600000000",
    postgres: "UPDATE password_reset SET expires_at = expires_at - 3600000000",
};

async fn ask_for_link(api: &Api, email: &str) -> Answer {
    api.post(RESET, &json!({"email": email})).await.expect(202)
}

/// What the newest link to an address holds, once there are so many.
async fn link_to(api: &Api, email: &str, count: usize) -> String {
    let newest = eventually("the link is there", || async {
        let mails = api.mails_to(email).await.into_iter();
        let links: Vec<Value> = mails.filter(|mail| mail["subject"] == CHOOSE).collect();
        (links.len() == count).then(|| links.into_iter().next())
    });
    token_in(&newest.await.unwrap()).unwrap()
}

async fn choose(api: &Api, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    api.post(CONFIRM, &body).await
}

async fn log_in(api: &Api, birder: &Birder, password: &str) -> u16 {
    let body = json!({"email": birder.email, "password": password});
    let answer = api.post("/api/v1/auth/login", &body).await;
    answer.status.as_u16()
}

async fn is_logged_in(api: &Api, birder: &Birder) -> bool {
    let answer = api.get_as(birder, SESSIONS).await;
    assert!([200, 401].contains(&answer.status.as_u16()));
    answer.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_by_who_knows_it_and_other_sessions_end() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let elsewhere = api.log_in(ada.email.clone(), ada.password.clone()).await;
    let change = |password: &str, new: &str| json!({"password": password, "new_password": new});
    let short = api
        .post_as(&ada, PASSWORD, &change(&ada.password, "short"))
        .await;
    short.expect_problem(422, Some("/new_password"));
    let guessed = api.post_as(&ada, PASSWORD, &change("a guess", NEW)).await;
    guessed.expect_problem(403, None);
    let nobody = api.post(PASSWORD, &change(&ada.password, NEW)).await;
    nobody.expect_problem(401, None);
    assert!(is_logged_in(api, &elsewhere).await);

    let changed = api
        .post_as(&ada, PASSWORD, &change(&ada.password, NEW))
        .await;
    assert_eq!(changed.status, 204);

    assert!(is_logged_in(api, &ada).await);
    assert!(!is_logged_in(api, &elsewhere).await);
    assert_eq!(log_in(api, &ada, &ada.password).await, 401);
    assert_eq!(log_in(api, &ada, NEW).await, 200);
    mail_to(api, &ada.email, "password was changed").await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_mailed_link_on_sqlite() {
    forgotten_password(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_mailed_link_on_postgres() {
    forgotten_password(System::up_on_postgres().await).await;
}

async fn forgotten_password(system: System) {
    let api = &system.api;
    let (ada, ben) = (api.join("Ada").await, api.join("Ben").await);
    ask_for_link(api, &ada.email).await;
    let unused = link_to(api, &ada.email, 1).await;
    ask_for_link(api, &ada.email).await;
    let token = link_to(api, &ada.email, 2).await;
    choose(api, &token, "short")
        .await
        .expect_problem(422, Some("/password"));
    choose(api, "unknown", NEW).await.expect_problem(400, None);
    assert_eq!(log_in(api, &ada, &ada.password).await, 200);

    choose(api, &token, NEW).await.expect(200);

    assert!(!is_logged_in(api, &ada).await);
    assert_eq!(log_in(api, &ada, &ada.password).await, 401);
    assert_eq!(log_in(api, &ada, NEW).await, 200);
    for spent in [&token, &unused] {
        let again = choose(api, spent, "another one").await;
        again.expect_problem(400, None);
    }
    assert_eq!(log_in(api, &ada, NEW).await, 200);
    assert!(is_logged_in(api, &ben).await);
    mail_to(api, &ada.email, "password was changed").await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_an_address_has_an_account_shows_in_its_mailbox_only() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let waiting = "waiting@example.org";
    let register = json!({"email": waiting, "password": "long enough", "name": "Dan"});
    api.post("/api/v1/auth/register", &register)
        .await
        .expect(202);
    let known = ask_for_link(api, &ada.email).await;
    for email in ["nobody@example.org", waiting] {
        let other = ask_for_link(api, email).await;
        assert_eq!(other.bytes, known.bytes, "{email}");
    }
    let bad = api.post(RESET, &json!({"email": "ada"})).await;
    bad.expect_problem(422, Some("/email"));
    link_to(api, &ada.email, 1).await;
    // Mails are written in the order in which they were asked for; one more shows that the others are through.
    let ben = api.join("Ben").await;
    ask_for_link(api, &ben.email).await;
    link_to(api, &ben.email, 1).await;
    assert_eq!(api.mails_to("nobody@example.org").await.len(), 0);
    let to_waiting = api.mails_to(waiting).await;
    assert!(to_waiting.iter().all(|mail| mail["subject"] != CHOOSE));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_us_whatever_the_request_says_and_ends_with_its_hour_and_its_person() {
    let system = System::up().await;
    let api = &system.api;
    let (ada, ben) = (api.join("Ada").await, api.join("Ben").await);
    let request = api
        .request(Method::POST, RESET)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .json(&json!({"email": ada.email}));
    api.try_send(request).await.unwrap().expect(202);
    let late = link_to(api, &ada.email, 1).await;
    let mail = mail_to(api, &ada.email, CHOOSE).await;
    assert!(!mail.to_string().contains("evil.example"), "{mail}");
    system.execute("auth-api", TOO_OLD).await;
    choose(api, &late, NEW).await.expect_problem(400, None);

    ask_for_link(api, &ben.email).await;
    let token = link_to(api, &ben.email, 1).await;
    erase(api, &ben).await;
    choose(api, &token, NEW).await.expect_problem(400, None);
    assert_eq!(log_in(api, &ada, &ada.password).await, 200);
    system.stop().await;
}
