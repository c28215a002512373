//! Erasures that race with what their people do, and with what others do to them.

use reqwest::Method;
use serde_json::json;
use testkit::{Api, Birder, PHOTO, Wire, eventually};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{ask, ended, rated_canary, scan};
use crate::canary::Canary;
use crate::round::rating_mails;
use crate::setup::System;

const PEOPLE: usize = 10;
/// So many times each of them, and somebody else, does something while they are erased.
const ACTS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn erasures_that_race_with_their_peoples_acts_leave_nothing() {
    let system = System::up().await;
    let rater = system.api.join("Eve").await;
    let theirs = system.api.tick(&rater).await;
    let mut races = JoinSet::new();
    for _ in 0..PEOPLE {
        let (api, rater) = (system.api.clone(), rater.clone());
        races.spawn(async move {
            let canary = rated_canary(&api, &rater).await;
            let acts = tokio::spawn(act(api.clone(), canary.birder.clone(), theirs));
            let rating = tokio::spawn(be_rated(api.clone(), rater, canary.image));
            let status_url = ask(&api, &canary.birder).await;
            acts.await.unwrap();
            rating.await.unwrap();
            ended(&api, &status_url).await;
            canary
        });
    }
    let canaries = races.join_all().await;
    let wire = Wire::connect(system.folder(), "operator").await;
    for canary in &canaries {
        eventually("what came late is overwritten", || async {
            let streams = wire.streams_naming(canary.birder.id).await;
            streams.is_empty().then_some(())
        })
        .await;
        assert_eq!(rating_mails(&system.api, &canary.birder).await.len(), 0);
    }
    let folder = system.stop_and_keep().await;
    let needles: Vec<String> = canaries.iter().flat_map(Canary::needles).collect();
    assert_eq!(scan(folder.path(), &needles).await, (Some(0), Vec::new()));
}

/// Uploads, ticks and rates; at some moment all of it is refused.
async fn act(api: Api, birder: Birder, image: Uuid) {
    let upload = api
        .request(Method::POST, "/api/v1/images")
        .bearer_auth(&birder.token)
        .header("content-type", "image/jpeg")
        .body(PHOTO.to_vec());
    let uploaded = api.try_send(upload).await;
    let url = uploaded.map(|uploaded| uploaded.json["url"].clone());
    for rating in (1..=5).cycle().take(ACTS) {
        api.try_rate(&birder, image, rating).await;
        let tick = api
            .request(Method::POST, "/api/v1/ticks")
            .bearer_auth(&birder.token)
            .json(&json!({"image": {"url": url}}));
        api.try_send(tick).await;
    }
}

async fn be_rated(api: Api, rater: Birder, image: Uuid) {
    for rating in (1..=5).cycle().take(ACTS) {
        api.try_rate(&rater, image, rating).await;
    }
}
