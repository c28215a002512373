//! Whoever is killed in the middle goes on.

use std::time::Duration;

use chassis::keys::Keys;
use data_map::SEALS;
use serde_json::json;
use testkit::PHOTO;

use super::{opened, rotate, rotation, seen_by, stolen};
use crate::canary::Canary;
use crate::setup::System;

/// Between one kill and the next. A rotation takes a little more than a second.
const STEP: Duration = Duration::from_millis(170);
const KILLS: u32 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_again_and_again_ends_with_everything_sealed_anew() {
    let system = System::up().await;
    let api = &system.api;
    let canary = Canary::join(api).await;
    let (_, url) = api.upload(&canary.birder, PHOTO).await;
    let stolen = stolen(system.folder());
    for kill in 1..=KILLS {
        let ended = rotation(system.folder(), &[])
            .killed_after(STEP * kill)
            .await;
        // Whatever it was at, people go on.
        let body =
            json!({"image": {"url": url}, "note": format!("after kill {kill}, ended: {ended}")});
        let ticked = api.post_as(&canary.birder, "/api/v1/ticks", &body).await;
        ticked.expect(201);
    }
    let seen = seen_by(api, &canary.birder).await;
    assert_eq!(
        seen.1["items"].as_array().unwrap().len(),
        KILLS as usize + 1
    );

    rotate(system.folder(), &[]).await;

    assert_eq!(seen_by(api, &canary.birder).await, seen);
    let old = Keys::open_existing(stolen.path()).unwrap();
    let new = Keys::open_existing(&system.folder().join("keys")).unwrap();
    for seal in SEALS {
        let (opens, values) = opened(&system, seal, &new).await;
        assert_eq!(opens, values.len(), "{}", seal.column);
        assert_eq!(opened(&system, seal, &old).await.0, 0, "{}", seal.column);
    }
    let mut left: Vec<_> = std::fs::read_dir(system.folder().join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["lock", "master.key", "ring.json"]);
    system.stop().await;
}
