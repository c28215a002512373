//! Admins search the streams, the newest events first, without seeing whom they name.

use serde_json::Value;
use testkit::{Api, Birder, eventually};

use crate::setup::System;

const EVENTS: &str = "/api/v1/admin/events";

async fn search(api: &Api, admin: &Birder, filter: &str) -> Vec<Value> {
    let found = api.get_as(admin, &format!("{EVENTS}?{filter}")).await;
    found.expect(200).json["items"].as_array().unwrap().clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["event"].as_str().unwrap());
    names.collect()
}

/// Every event, two at a time.
async fn page_by_page(api: &Api, admin: &Birder) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{EVENTS}?limit=2{cursor}");
        let page = api.get_as(admin, &path).await.expect(200).json;
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_finds_events_by_type_stream_and_time() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let (olga, rolf) = (api.join("Olga").await, api.join("Rolf").await);
    let image = api.tick(&olga).await;
    api.try_rate(&rolf, image, 4).await;
    let all = eventually("its mail and its score, the last of all", || async {
        let all = search(api, &admin, "limit=100").await;
        let last = ["notification.email.v1", "score.update.v1"];
        let is_there = last.iter().all(|name| names(&all).contains(name));
        is_there.then_some(all)
    })
    .await;
    assert_eq!(page_by_page(api, &admin).await, all);
    let stored: Vec<&str> = all
        .iter()
        .map(|one| one["stored_at"].as_str().unwrap())
        .collect();
    assert!(stored.is_sorted_by(|one, next| one >= next), "{stored:?}");
    let text = Value::from(all.clone()).to_string();
    for id in [olga.id, rolf.id, image] {
        assert!(!text.contains(&id.to_string()), "{text}");
    }

    let rated = search(api, &admin, "type=rate.update").await;
    assert_eq!(names(&rated), ["rate.update.v2"]);
    assert_eq!(rated[0]["key"], "the user who rated");
    assert_eq!(rated[0]["source"], "services/TickAPI");
    assert_eq!(search(api, &admin, "stream=RATE").await, rated);
    assert_eq!(
        names(&search(api, &admin, "stream=TICK&type=rate.update").await),
        [""; 0]
    );
    let explained = format!("{EVENTS}/{}", rated[0]["id"].as_str().unwrap());
    let explained = api.get_as(&admin, &explained).await.expect(200).json;
    assert_eq!(explained["producer"], "tick-api");

    let moment = rated[0]["stored_at"].as_str().unwrap();
    let before = search(api, &admin, &format!("limit=100&to={moment}")).await;
    let since = search(api, &admin, &format!("limit=100&from={moment}")).await;
    assert_eq!([since, before].concat(), all);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_refused_and_so_is_whoever_is_no_admin() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    for (filter, pointer) in [
        ("type=rate.upend", "/type"),
        ("stream=DEAD", "/stream"),
        ("from=yesterday", "/from"),
        ("limit=0", "/limit"),
        ("cursor=NOBODY-1", "/cursor"),
    ] {
        let refused = api.get_as(&admin, &format!("{EVENTS}?{filter}")).await;
        refused.expect_problem(422, Some(pointer));
    }
    let birder = api.join("Olga").await;
    api.get_as(&birder, EVENTS).await.expect_problem(404, None);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_how_long_events_take_until_each_consumer_has_handled_them() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let olga = api.join("Olga").await;
    api.tick(&olga).await;
    for consumer in ["score-model", "statistics"] {
        let latency = eventually("the consumer has handled an event", || async {
            let overview = api.get_as(&admin, "/api/v1/admin/overview").await;
            let overview = overview.expect(200).json;
            let all = overview["latencies"].as_array().unwrap().clone();
            all.into_iter()
                .find(|one| one["consumer"] == consumer && one["events"] != 0)
        })
        .await;
        let (half, most) = (latency["p50_ms"].as_u64(), latency["p99_ms"].as_u64());
        assert!(half.unwrap() > 0 && half <= most, "{latency}");
    }
    system.stop().await;
}
