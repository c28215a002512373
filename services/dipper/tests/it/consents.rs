//! Consent is to a text that was shown, and is taken back as easily as it is given.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Api, Birder, Wire, eventually};

use crate::erasure::erase;
use crate::export::{download, exported};
use crate::round::tick_a_bird;
use crate::setup::System;

const TEXTS: &str = "/api/v1/consents/texts";
pub const CONSENTS: &str = "/api/v1/users/me/consents";

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_back_their_consent_to_exact_places_has_them_erased_on_sqlite() {
    withdrawn_and_given_again(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_back_their_consent_to_exact_places_has_them_erased_on_postgres() {
    withdrawn_and_given_again(System::up_on_postgres().await).await;
}

async fn withdrawn_and_given_again(system: System) {
    let api = &system.api;
    let wire = Wire::connect(system.folder(), "operator").await;
    let ada = api.join("Ada").await;
    let (_, tick) = tick_a_bird(api, &ada).await;
    assert!(place_of_the_only_tick(api, &ada).await.is_object());

    let shown = text(api, "places.en").await;
    decide(api, &ada, &shown, false).await;
    eventually("the exact place is erased", || async {
        let place = place_of_the_only_tick(api, &ada).await;
        place.is_null().then_some(())
    })
    .await;
    let url = url_of_the_only_tick(api, &ada).await;
    let with_place = json!({"image": {"url": url}, "place": {"lat": 59.8586, "lon": 17.6389}});
    let refused = api.post_as(&ada, "/api/v1/ticks", &with_place).await;
    refused.expect_problem(403, None);
    let without = json!({"image": {"url": url}});
    api.post_as(&ada, "/api/v1/ticks", &without)
        .await
        .expect(201);

    decide(api, &ada, &text(api, "places.sv").await, true).await;
    eventually("places are taken again", || async {
        let taken = api.post_as(&ada, "/api/v1/ticks", &with_place).await;
        (taken.status == 201).then_some(())
    })
    .await;
    expect_in_the_export(api, &ada).await;

    erase(api, &ada).await;
    assert_eq!(wire.streams_naming(tick).await, Vec::<String>::new());
    assert_eq!(system.tables_naming(ada.id).await, Vec::<String>::new());
    system.stop().await;
}

async fn place_of_the_only_tick(api: &Api, birder: &Birder) -> Value {
    let ticks = api.get_as(birder, "/api/v1/ticks?user=me").await;
    ticks.expect(200).json["items"][0]["place"].clone()
}

async fn url_of_the_only_tick(api: &Api, birder: &Birder) -> Value {
    let ticks = api.get_as(birder, "/api/v1/ticks?user=me").await;
    ticks.expect(200).json["items"][0]["image"]["url"].clone()
}

async fn expect_in_the_export(api: &Api, birder: &Birder) {
    let archive = download(api, &exported(api, birder).await).await;
    let rows = archive.rows("user-api", "consent");
    let decided: Vec<_> = rows
        .iter()
        .map(|row| (&row["language"], &row["given"]))
        .collect();
    assert_eq!(decided.len(), 2);
    assert!(decided.contains(&(&json!("en"), &json!(false))));
    assert!(decided.contains(&(&json!("sv"), &json!(true))));
}

/// A text as it is shown.
pub async fn text(api: &Api, name: &str) -> Value {
    let texts = api.get(TEXTS).await.expect(200).json;
    let mut texts = texts["items"].as_array().unwrap().iter();
    let found = texts.find(|text| text["name"] == name);
    found.unwrap().clone()
}

/// Agrees to a text, or takes that back.
pub async fn decide(api: &Api, birder: &Birder, text: &Value, given: bool) {
    let decision = json!({"text": text["name"], "sha256": text["sha256"], "given": given});
    let noted = api.post_as(birder, CONSENTS, &decision).await.expect(201);
    assert_eq!(noted.json["given"], given);
    assert_eq!(noted.json["sha256"], text["sha256"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_text_that_was_shown_can_be_consented_to_and_each_decision_is_kept_once() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let shown = text(api, "places.sv").await;
    let hash = hex::encode(Sha256::digest(shown["text"].as_str().unwrap()));
    assert_eq!(shown["sha256"], hash.as_str());

    let decision =
        |text: &str, sha256: &str| json!({"text": text, "sha256": sha256, "given": true});
    let older = hex::encode(Sha256::digest("an older text"));
    let refused = api
        .post_as(&ada, CONSENTS, &decision("places.sv", &older))
        .await;
    refused.expect_problem(409, None);
    assert!(refused.json["detail"].as_str().unwrap().contains(TEXTS));
    let unknown = api
        .post_as(&ada, CONSENTS, &decision("cookies.sv", &hash))
        .await;
    unknown.expect_problem(422, Some("/text"));

    for given in [true, true, false, false, true] {
        decide(api, &ada, &shown, given).await;
    }
    let kept = api.get_as(&ada, CONSENTS).await.expect(200).json;
    let kept = kept["items"].as_array().unwrap().iter();
    let kept: Vec<_> = kept.map(|entry| entry["given"].clone()).collect();
    assert_eq!(kept, [true, false, true]);
    system.stop().await;
}
