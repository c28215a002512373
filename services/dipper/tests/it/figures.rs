//! The breakdowns that the public sees of ten people, and staff of five.

use std::path::Path;

use chassis::clock::Clock;
use chrono::{DateTime, Utc};
use reqwest::{Method, header};
use serde_json::{Value, json};
use testkit::{Api, Birder, Wire, eventually};
use uuid::Uuid;

use crate::import::expect_a_rebuild_to_be_equal;
use crate::limits::limit;
use crate::moderation::moderator;
use crate::setup::System;

pub const SPECIES: &str = "avibase-2247CB05";
const SERIES: &str = "/api/v1/statistics/timeseries?event=tick";
const TOP: &str = "/api/v1/statistics/species/top";
const RETENTION: &str = "/api/v1/statistics/retention?weeks=2";

fn scores() -> String {
    format!("/api/v1/statistics/species/{SPECIES}/scores")
}

async fn ticks(system: &System, user: Uuid) {
    ticks_at(system.folder(), user, Clock::default().now()).await;
}

/// Tells of a tick of somebody's with a new photo, and of its score, as other producers would.
pub async fn ticks_at(folder: &Path, user: Uuid, time: DateTime<Utc>) {
    let image = Uuid::new_v4();
    let url = format!("/images/{image}/2048.jpg");
    let tick = json!({
        "id": Uuid::new_v4(), "type": "new", "version": "1.1",
        "data": {
            "user": {"id": user}, "image": {"url": url},
            "species": {"id": SPECIES, "english": "Common Ostrich", "scientific": "Struthio camelus"},
        },
        "metadata": {"source": "services/OtherClient", "time": time},
    });
    let producer = Wire::connect(folder, "tick-api").await;
    let subject = format!("tick.new.v1.{user}");
    producer.publish_event(&subject, &tick).await;
    let score = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.1",
        "data": {"image": {"url": url}, "model": "other-1", "reasons": [], "score": 3.1},
        "metadata": {"source": "services/OtherModel", "time": time},
    });
    let model = Wire::connect(folder, "score-model").await;
    let subject = format!("score.update.v1.{image}");
    model.publish_event(&subject, &score).await;
}

/// Waits until so many ticks and scores are counted.
pub async fn counted(api: &Api, ticks: i64) {
    eventually("the ticks and scores are counted", || async {
        let figures = api.figures().await;
        (figures["ticks"] == ticks && figures["scores"] == ticks).then_some(())
    })
    .await;
}

/// What each breakdown shows somebody: of the day, the species, its scores, the cohort.
async fn shown(api: &Api, caller: Option<&Birder>) -> [Value; 4] {
    let token = caller.map(|birder| birder.token.as_str());
    let get = async |path: &str| {
        let answer = api.send(Method::GET, path, token, None).await;
        answer.json["items"][0].clone()
    };
    [
        get(SERIES).await["count"].clone(),
        get(TOP).await["ticks"].clone(),
        get(&scores()).await["count"].clone(),
        get(RETENTION).await["people"].clone(),
    ]
}

fn all(count: i64) -> [Value; 4] {
    [(); 4].map(|()| json!(count))
}

const NOTHING: [Value; 4] = [const { Value::Null }; 4];

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_shown_by_how_many_people_are_in_them_on_sqlite() {
    shown_by_audience(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_shown_by_how_many_people_are_in_them_on_postgres() {
    shown_by_audience(System::up_on_postgres().await).await;
}

async fn shown_by_audience(system: System) {
    let api = &system.api;
    let admin = system.admin().await;
    let moderator = moderator(api, &admin).await;
    let leaver = api.join("Lea").await;
    ticks(&system, leaver.id).await;
    for people in 2..=10 {
        ticks(&system, Uuid::new_v4()).await;
        if [4, 5, 9, 10].contains(&people) {
            counted(api, people).await;
            let of = |k| if people < k { NOTHING } else { all(people) };
            assert_eq!(shown(api, Some(&admin)).await, of(5), "{people}");
            assert_eq!(shown(api, Some(&moderator)).await, of(5), "{people}");
            assert_eq!(shown(api, Some(&leaver)).await, of(10), "{people}");
            assert_eq!(shown(api, None).await, of(10), "{people}");
        }
    }
    ticks(&system, Uuid::new_v4()).await;
    counted(api, 11).await;
    limit(api, &leaver, false, &["statistics"]).await;
    counted(api, 10).await;
    assert_eq!(shown(api, Some(&admin)).await, all(11));
    assert_eq!(shown(api, None).await, all(11));
    what_is_shown_is_like_this(api).await;
    expect_a_rebuild_to_be_equal(&system).await;
    assert_eq!(shown(api, None).await, all(11));
    system.stop().await;
}

async fn what_is_shown_is_like_this(api: &Api) {
    let shown = api.get(&scores()).await.expect(200).json;
    let expected = json!({
        "species": {"id": SPECIES, "english": "Common Ostrich", "scientific": "Struthio camelus"},
        "items": [{"from": 3.0, "to": 3.2, "count": 11}], "count": 11, "k": 10,
    });
    assert_eq!(shown, expected);
    let retention = api.get(RETENTION).await.expect(200).json;
    assert_eq!(retention["k"], 10);
    assert_eq!(retention["items"][0]["weeks"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_figure_is_told_so_and_what_staff_see_is_kept_by_nobody() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let unknown = api.get(&scores()).await;
    unknown.expect_problem(404, None);
    let odd = api.get("/api/v1/statistics/species/a%00b/scores").await;
    odd.expect_problem(404, None);
    let wrong = api.get("/api/v1/statistics/retention?weeks=53").await;
    wrong.expect_problem(422, None);

    let first = api.get(TOP).await.expect(200);
    assert_eq!(first.headers[header::CACHE_CONTROL], "max-age=2");
    assert_eq!(first.headers[header::VARY], "authorization");
    let again = api
        .request(Method::GET, TOP)
        .header(header::IF_NONE_MATCH, &first.headers[header::ETAG]);
    let again = api.try_send(again).await.unwrap();
    assert_eq!(again.status, 304);
    assert!(again.bytes.is_empty());
    let staffs = api.get_as(&admin, TOP).await.expect(200);
    assert_eq!(staffs.headers[header::CACHE_CONTROL], "private, no-store");
    assert_eq!(staffs.json["k"], 5);
    let nobodys = api.send(Method::GET, TOP, Some("made up"), None).await;
    nobodys.expect_problem(401, None);
    system.stop().await;
}
