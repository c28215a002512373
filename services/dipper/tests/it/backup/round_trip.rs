//! What was backed up comes back, and nobody who was erased since.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use testkit::{Api, Birder, PHOTO, eventually};
use uuid::Uuid;

use super::copies::{back_up, backups, emptied, restore};
use super::people::{Canary, start_restored};
use crate::setup::{System, up};

async fn post_tick(api: &Api, birder: &Birder, url: &str) -> Uuid {
    let id = Uuid::new_v4();
    let tick = json!({"id": id, "image": {"url": url}});
    api.post_as(birder, "/api/v1/ticks", &tick)
        .await
        .expect(201);
    id
}

async fn ticks_of(api: &Api, birder: &Birder) -> Vec<Uuid> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/ticks?user=me&limit=100{cursor}");
        let page = api.get_as(birder, &path).await.expect(200).json;
        let items = page["items"].as_array().unwrap().iter();
        all.extend(items.map(|tick| tick["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_all_that_was_accepted_before_and_each_service_agrees() {
    let system = System::up().await;
    let (api, shelf) = (system.api.clone(), tempfile::tempdir().unwrap());
    let birder = api.join("Ada").await;
    let (image, url) = api.upload(&birder, PHOTO).await;
    let mut before = Vec::new();
    for _ in 0..20 {
        before.push(post_tick(&api, &birder, &url).await);
    }
    let mut making = Box::pin(back_up(system.folder(), shelf.path()));
    let mut meanwhile = 0;
    loop {
        tokio::select! {
            () = &mut making => break,
            _ = post_tick(&api, &birder, &url) => meanwhile += 1,
        }
    }
    drop(making);
    assert!(meanwhile > 0, "people go on");
    let elsewhere = emptied(system.folder());
    system.stop().await;

    let said = restore(shelf.path(), elsewhere.path(), &[]).await.unwrap();
    assert!(said.contains("restored as of"), "{said}");
    let running = start_restored(elsewhere.path()).await;
    let api = Api::new(&running.url);
    let birder = api.log_in(birder.email, birder.password).await;
    let there = ticks_of(&api, &birder).await;
    assert!(before.iter().all(|tick| there.contains(tick)));
    let ticks = there.len();
    eventually("the statistics know the same ticks", || async {
        (api.figures().await["ticks"] == ticks).then_some(())
    })
    .await;
    eventually("the photo is there with its score", || async {
        let seen = api.get(&format!("/api/v1/images/{image}")).await.json;
        seen["score"].is_number().then_some(())
    })
    .await;
    api.get(&format!("/images/{image}/400.jpg"))
        .await
        .expect(200);
    // And it goes on.
    let (_, url) = api.upload(&birder, PHOTO).await;
    post_tick(&api, &birder, &url).await;
    eventually("the statistics have the new tick", || async {
        (api.figures().await["ticks"] == ticks + 1).then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
}

/// A stopped instance from which a canary was erased after a backup, and who stays.
async fn erased_since_a_backup(shelf: &Path) -> (TempDir, Canary, Birder) {
    let system = System::up().await;
    let rater = system.api.join("Rolf").await;
    let canary = Canary::join(&system.api, &rater).await;
    back_up(system.folder(), shelf).await;
    assert_eq!(canary.found_in(shelf), Vec::<String>::new(), "it is sealed");
    canary.erase(&system.api).await;
    let folder = system.stop_and_keep().await;
    assert_eq!(canary.found_in(folder.path()), Vec::<String>::new());
    (folder, canary, rater)
}

async fn expect_only(folder: &Path, canary: &Canary, rater: &Birder) {
    let running = start_restored(folder).await;
    let api = Api::new(&running.url);
    canary.expect_nobody(&api).await;
    let (email, password) = (rater.email.clone(), rater.password.clone());
    let rater = api.log_in(email, password).await;
    api.tick(&rater).await;
    assert_eq!(running.stop().await, Some(0));
    assert_eq!(canary.found_in(folder), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_back_with_a_whole_backup() {
    let shelf = tempfile::tempdir().unwrap();
    let (folder, canary, rater) = erased_since_a_backup(shelf.path()).await;
    let elsewhere = emptied(folder.path());
    restore(shelf.path(), elsewhere.path(), &[]).await.unwrap();
    assert!(!canary.found_in(elsewhere.path()).is_empty());
    expect_only(elsewhere.path(), &canary, &rater).await;
    // Once more, in the place of what is there, from the one backup that is named.
    let backup = backups(shelf.path()).remove(0);
    let replaced = restore(&backup, elsewhere.path(), &["--replace"]).await;
    replaced.unwrap();
    expect_only(elsewhere.path(), &canary, &rater).await;
    let running = up(elsewhere.path()).start().await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_back_with_old_databases_only_or_old_streams_only() {
    let shelf = tempfile::tempdir().unwrap();
    let (folder, canary, rater) = erased_since_a_backup(shelf.path()).await;
    for part in ["streams", "databases"] {
        let restored = restore(shelf.path(), folder.path(), &["--only", part]).await;
        restored.unwrap();
        assert!(!canary.found_in(folder.path()).is_empty(), "{part}");
        expect_only(folder.path(), &canary, &rater).await;
    }
}
