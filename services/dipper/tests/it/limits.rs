//! Whoever limits what is done with their data has it kept, and nothing else done with it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, PHOTO, Wire, eventually};
use uuid::Uuid;

use crate::erasure::erase;
use crate::import::expect_a_rebuild_to_be_equal;
use crate::round::{await_score, expect_figures, rating_mails, tick_a_bird};
use crate::setup::System;

pub const LIMITS: &str = "/api/v1/users/me/limits";
const NOTHING: [&str; 0] = [];

/// Limits what is done with somebody's data, and waits until everybody heeds it who heard of it.
pub async fn limit(api: &Api, birder: &Birder, restricted: bool, objections: &[&str]) {
    let wanted = json!({"restricted": restricted, "objections": objections});
    let set = api.put_as(birder, LIMITS, &wanted).await.expect(200);
    assert_eq!(set.json, wanted);
}

async fn has_score(api: &Api, image: Uuid) -> bool {
    let shown = api.get(&format!("/api/v1/images/{image}")).await;
    shown.expect(200).json["score"].is_number()
}

/// Waits until an address answers somebody in this way.
async fn answers(api: &Api, birder: &Birder, path: &str, status: u16) {
    eventually("the services have heard of it", || async {
        (api.get_as(birder, path).await.status == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restricted_is_its_owners_alone_and_comes_back_when_that_is_lifted_on_sqlite() {
    restricted_and_lifted(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restricted_is_its_owners_alone_and_comes_back_when_that_is_lifted_on_postgres() {
    restricted_and_lifted(System::up_on_postgres().await).await;
}

async fn restricted_and_lifted(system: System) {
    let api = &system.api;
    let wire = Wire::connect(system.folder(), "operator").await;
    let (owner, other) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, _) = tick_a_bird(api, &owner).await;
    await_score(api, image).await;
    let before = json!({
        "ticks": 1, "ratings": 0, "images": 1, "scores": 1, "notifications": 0, "logins": 2, "users": 2,
    });
    expect_figures(api, &before).await;

    limit(api, &owner, true, &NOTHING).await;
    let page = format!("/api/v1/images/{image}");
    answers(api, &other, &page, 404).await;
    nobody_else_sees(api, &other, image).await;
    the_owner_sees(api, &owner, image).await;
    nothing_is_added(api, &owner).await;
    expect_figures(api, &json!({
        "ticks": 0, "ratings": 0, "images": 0, "scores": 0, "notifications": 0, "logins": 1, "users": 1,
    }))
    .await;

    limit(api, &owner, false, &NOTHING).await;
    answers(api, &other, &page, 200).await;
    assert!(has_score(api, image).await, "the score was kept");
    let rated = api
        .put_as(&other, &format!("{page}/rating"), &json!({"rating": 4}))
        .await;
    rated.expect(200);
    api.upload(&owner, PHOTO).await;
    eventually("all of it counts again", || async {
        let figures = api.figures().await;
        (figures["ticks"] == 1 && figures["ratings"] == 1 && figures["users"] == 2).then_some(())
    })
    .await;

    limit(api, &owner, true, &["statistics"]).await;
    erase(api, &owner).await;
    assert_eq!(wire.streams_naming(owner.id).await, Vec::<String>::new());
    assert_eq!(system.tables_naming(owner.id).await, Vec::<String>::new());
    system.stop().await;
}

async fn nobody_else_sees(api: &Api, other: &Birder, image: Uuid) {
    let picture = format!("/images/{image}/400.jpg");
    api.get(&picture).await.expect_problem(404, None);
    api.get_as(other, &picture).await.expect_problem(404, None);
    let rating = format!("/api/v1/images/{image}/rating");
    let rated = api.put_as(other, &rating, &json!({"rating": 5})).await;
    rated.expect_problem(404, None);
    for sort in ["new", "best"] {
        let feed = api
            .get_as(other, &format!("/api/v1/feed?sort={sort}"))
            .await;
        assert_eq!(feed.expect(200).json["items"], json!([]));
    }
}

async fn the_owner_sees(api: &Api, owner: &Birder, image: Uuid) {
    let page = format!("/api/v1/images/{image}");
    api.get_as(owner, &page).await.expect(200);
    let picture = api.get_as(owner, &format!("/images/{image}/400.jpg")).await;
    let headers = picture.expect(200).headers;
    assert_eq!(headers["cache-control"], "private, no-store");
    let feed = api.get_as(owner, "/api/v1/feed").await.expect(200).json;
    assert_eq!(feed["items"][0]["id"], image.to_string());
    let ticks = api.get_as(owner, "/api/v1/ticks?user=me").await.expect(200);
    assert_eq!(ticks.json["items"].as_array().unwrap().len(), 1);
}

async fn nothing_is_added(api: &Api, owner: &Birder) {
    let ticks = api.get_as(owner, "/api/v1/ticks?user=me").await.expect(200);
    let image = &ticks.json["items"][0]["image"];
    let tick = json!({"image": {"url": image["url"]}});
    let upload = api
        .request(Method::POST, "/api/v1/images")
        .bearer_auth(&owner.token)
        .header("content-type", "image/jpeg")
        .body(PHOTO.to_vec());
    for refused in [
        api.post_as(owner, "/api/v1/ticks", &tick).await,
        api.try_send(upload).await.unwrap(),
    ] {
        refused.expect_problem(403, None);
        let kind = refused.json["type"].to_string();
        assert!(kind.contains("processing-restricted"), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ratings_of_who_restricts_are_in_no_mean_until_that_is_lifted_on_sqlite() {
    ratings_kept_and_not_used(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ratings_of_who_restricts_are_in_no_mean_until_that_is_lifted_on_postgres() {
    ratings_kept_and_not_used(System::up_on_postgres().await).await;
}

async fn ratings_kept_and_not_used(system: System) {
    let api = &system.api;
    let names = ["Olga", "Rolf", "Rita"];
    let [owner, restricted, other] = names.map(|name| api.join(name));
    let (owner, restricted, other) = (owner.await, restricted.await, other.await);
    let image = api.tick(&owner).await;
    await_score(api, image).await;
    api.try_rate(&restricted, image, 1).await;
    api.try_rate(&other, image, 5).await;
    let shows = async |count: i64, mean: f64| {
        eventually("photo and figures show these ratings", || async {
            let image = api.get(&format!("/api/v1/images/{image}")).await.json;
            let ratings = &image["rating"];
            let is_so = (&ratings["count"], &ratings["mean"]) == (&json!(count), &json!(mean));
            (is_so && api.figures().await["ratings"] == count).then_some(())
        })
        .await;
    };
    shows(2, 3.0).await;
    limit(api, &restricted, true, &NOTHING).await;
    shows(1, 5.0).await;
    // It is kept, and theirs to see and to withdraw.
    let page = format!("/api/v1/images/{image}");
    let own = api.get_as(&restricted, &page).await.expect(200).json;
    assert_eq!(own["my_rating"], 1);
    limit(api, &restricted, false, &NOTHING).await;
    shows(2, 3.0).await;
    limit(api, &restricted, true, &NOTHING).await;
    shows(1, 5.0).await;
    api.delete_as(&restricted, &format!("{page}/rating"))
        .await
        .expect(204);
    shows(1, 5.0).await;
    limit(api, &restricted, false, &NOTHING).await;
    shows(1, 5.0).await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_who_objects_to_scores_have_none_on_sqlite() {
    unscored(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_who_objects_to_scores_have_none_on_postgres() {
    unscored(System::up_on_postgres().await).await;
}

async fn unscored(system: System) {
    let api = &system.api;
    let (owner, other) = (api.join("Olga").await, api.join("Rolf").await);
    let scored = api.tick(&owner).await;
    await_score(api, scored).await;

    limit(api, &owner, false, &["scoring"]).await;
    eventually("the score that there was goes", || async {
        (!has_score(api, scored).await).then_some(())
    })
    .await;
    let passed_over = api.tick(&owner).await;
    // What comes later of somebody else has its score, so ScoreModel is past it.
    let later = api.tick(&other).await;
    await_score(api, later).await;
    assert!(!has_score(api, passed_over).await);

    limit(api, &owner, false, &NOTHING).await;
    let wanted_again = api.tick(&owner).await;
    await_score(api, wanted_again).await;
    assert!(
        !has_score(api, scored).await,
        "what went does not come back"
    );
    assert!(!has_score(api, passed_over).await);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_objects_to_statistics_is_in_no_figure_whatever_they_do_on_sqlite() {
    uncounted(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_objects_to_statistics_is_in_no_figure_whatever_they_do_on_postgres() {
    uncounted(System::up_on_postgres().await).await;
}

async fn uncounted(system: System) {
    let api = &system.api;
    let (objector, other) = (api.join("Olga").await, api.join("Rolf").await);
    let (own, others) = (api.tick(&objector).await, api.tick(&other).await);
    rate(api, &objector, others).await;
    rate(api, &other, own).await;
    limit(api, &objector, false, &["statistics", "mail"]).await;
    let later = api.tick(&objector).await;
    for image in [own, others, later] {
        await_score(api, image).await;
    }
    let without = json!({
        "ticks": 1, "ratings": 0, "images": 1, "scores": 1, "notifications": 1, "logins": 1, "users": 1,
    });
    expect_figures(api, &without).await;
    let histogram = api.get("/api/v1/statistics/ratings/histogram").await;
    assert!(
        !histogram
            .expect(200)
            .json
            .to_string()
            .contains("\"count\":1")
    );
    expect_a_rebuild_to_be_equal(&system).await;
    expect_figures(api, &without).await;

    limit(api, &objector, false, &["mail"]).await;
    eventually("all of it counts again", || async {
        let figures = api.figures().await;
        let counted = ["ticks", "images", "scores", "ratings", "users"].map(|name| &figures[name]);
        (counted == [3, 3, 3, 2, 2]).then_some(())
    })
    .await;
    expect_a_rebuild_to_be_equal(&system).await;
    system.stop().await;
}

async fn rate(api: &Api, rater: &Birder, image: Uuid) {
    let path = format!("/api/v1/images/{image}/rating");
    let answer = api.put_as(rater, &path, &json!({"rating": 4})).await;
    answer.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_restricts_or_objects_to_mail_is_told_of_no_rating() {
    let system = System::up().await;
    let api = &system.api;
    let names = ["Olga", "Ola", "Rolf"];
    let [objector, restricted, other] = names.map(|name| api.join(name));
    let (objector, restricted, other) = (objector.await, restricted.await, other.await);
    let mut images = Vec::new();
    for birder in [&objector, &restricted, &other] {
        images.push(api.tick(birder).await);
    }
    limit(api, &objector, false, &["mail"]).await;
    limit(api, &restricted, true, &NOTHING).await;
    let wire = Wire::connect(system.folder(), "operator").await;
    // Of somebody who restricted, TickAPI takes no rating; another producer may still tell of one.
    let told = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.0",
        "data": {"user": {"id": other.id}, "image_url": format!("/images/{}", images[1]), "rating": 5},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    });
    let subject = format!("rate.update.v1.{}", other.id);
    let producer = Wire::connect(system.folder(), "tick-api").await;
    producer.publish_event(&subject, &told).await;
    rate(api, &other, images[0]).await;
    rate(api, &objector, images[2]).await;

    eventually("somebody else is told", || async {
        (rating_mails(api, &other).await.len() == 1).then_some(())
    })
    .await;
    eventually("nothing waits to be mailed", || async {
        let notified = wire.count("NOTIFICATION").await;
        let waiting = system.tables_naming(images[1]).await;
        let waits = waiting.iter().any(|table| table.contains("pending"));
        (notified == 1 && !waits).then_some(())
    })
    .await;
    assert_eq!(rating_mails(api, &objector).await, Vec::<Value>::new());
    assert_eq!(rating_mails(api, &restricted).await, Vec::<Value>::new());
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objecting_to_mail_and_turning_it_off_are_one_and_the_same() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let notifications = async || {
        let profile = api.get_as(&ada, "/api/v1/users/me").await.expect(200);
        profile.json["preferences"]["notifications"].clone()
    };
    limit(api, &ada, false, &["mail"]).await;
    assert_eq!(notifications().await, "off");
    limit(api, &ada, false, &NOTHING).await;
    assert_eq!(notifications().await, "hourly");

    for (wanted, objections) in [("off", json!(["mail"])), ("daily", json!([]))] {
        let body = json!({"preferences": {"notifications": wanted}});
        let token = Some(ada.token.as_str());
        let changed = api.send(Method::PATCH, "/api/v1/users/me", token, Some(&body));
        changed.await.expect(200);
        let limits = api.get_as(&ada, LIMITS).await.expect(200).json;
        assert_eq!(limits["objections"], objections);
    }
    limit(api, &ada, false, &NOTHING).await;
    assert_eq!(notifications().await, "daily", "it was not off");
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_set_as_a_whole_and_the_same_again_changes_nothing() {
    let system = System::up().await;
    let api = &system.api;
    let ada = api.join("Ada").await;
    let wire = Wire::connect(system.folder(), "operator").await;
    let told = async || {
        let subject = format!("user.limit.v1.{}", ada.id);
        let events = wire.messages("USER").await.into_iter();
        events.filter(|(of, _, _)| *of == subject).count()
    };
    for wrong in [
        json!({"restricted": true}),
        json!({"restricted": true, "objections": ["advertising"]}),
        json!({"restricted": true, "objections": [], "until": "2027-01-01"}),
    ] {
        let refused = api.put_as(&ada, LIMITS, &wrong).await;
        refused.expect_problem(422, None);
    }
    let nothing = json!({"restricted": false, "objections": []});
    let shown = api.get_as(&ada, LIMITS).await.expect(200).json;
    assert_eq!(shown, nothing);

    limit(api, &ada, false, &NOTHING).await;
    limit(api, &ada, false, &["scoring", "mail"]).await;
    limit(api, &ada, false, &["scoring", "mail"]).await;
    limit(api, &ada, true, &NOTHING).await;
    eventually("two changes are told", || async {
        (told().await == 2).then_some(())
    })
    .await;
    let nobody = api.get(LIMITS).await;
    nobody.expect_problem(401, None);
    system.stop().await;
}
