//! What is not backed up, and what is not restored.

use std::path::Path;

use tempfile::TempDir;
use testkit::{Api, eventually};

use super::copies::{back_up, backups, command, copy, emptied, outcome, replace, restore};
use super::people::Canary;
use crate::setup::{System, up};

/// A stopped instance with somebody in it, and a backup of it.
async fn backed_up(shelf: &Path) -> TempDir {
    let system = System::up().await;
    system.api.join("Ada").await;
    back_up(system.folder(), shelf).await;
    let why = restore(shelf, system.folder(), &["--replace"]).await;
    let why = why.unwrap_err();
    assert!(why.contains("is in use by a dipper"), "{why}");
    system.stop_and_keep().await
}

async fn refusal(shelf: &Path, data: &Path) -> String {
    let why = restore(shelf, data, &[]).await.unwrap_err();
    assert!(!data.join("db").exists(), "nothing is changed: {why}");
    why
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_not_restored_over_data_nor_altered_nor_without_its_keys() {
    let shelf = tempfile::tempdir().unwrap();
    let folder = backed_up(shelf.path()).await;
    let why = restore(shelf.path(), folder.path(), &[]).await.unwrap_err();
    assert!(why.contains("is not empty"), "{why}");

    let without_keys = emptied(folder.path());
    std::fs::remove_dir_all(without_keys.path().join("keys")).unwrap();
    let why = refusal(shelf.path(), without_keys.path()).await;
    assert!(why.contains("master.key is not there"), "{why}");

    let elsewhere = emptied(folder.path());
    let backup = backups(shelf.path()).remove(0);
    for part in ["databases", "streams", "photos", "manifest.json"] {
        let file = backup.join(part);
        let whole = std::fs::read(&file).unwrap();
        let mut altered = whole.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        std::fs::write(&file, &altered).unwrap();
        let why = refusal(shelf.path(), elsewhere.path()).await;
        assert!(why.contains("was altered"), "{part}: {why}");
        std::fs::write(&file, &whole).unwrap();
    }
    restore(shelf.path(), elsewhere.path(), &[]).await.unwrap();
    let again = command(
        &["backup", &shelf.path().to_string_lossy()],
        elsewhere.path(),
    );
    let why = outcome(&again).await.unwrap_err();
    assert!(why.contains("was restored itself"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_not_restored_without_the_ledger_or_with_an_older_one() {
    let (shelf, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let system = System::up().await;
    let rater = system.api.join("Rolf").await;
    let canary = Canary::join(&system.api, &rater).await;
    let older = copies.path().join("ledger");
    copy(&system.folder().join("ledger"), &older);
    canary.erase(&system.api).await;
    back_up(system.folder(), shelf.path()).await;
    let folder = system.stop_and_keep().await;

    let elsewhere = emptied(folder.path());
    let ledger = elsewhere.path().join("ledger");
    replace(&ledger, &older);
    let why = refusal(shelf.path(), elsewhere.path()).await;
    assert!(why.contains("is older than the one"), "{why}");
    std::fs::remove_dir_all(&ledger).unwrap();
    let why = refusal(shelf.path(), elsewhere.path()).await;
    assert!(why.contains("ledger of erased people is missing"), "{why}");

    // Nor does a restored instance start with another ledger than it was restored with.
    copy(&folder.path().join("ledger"), &ledger);
    restore(shelf.path(), elsewhere.path(), &[]).await.unwrap();
    replace(&ledger, &older);
    let why = outcome(&up(elsewhere.path())).await.unwrap_err();
    assert!(why.contains("is older than the one"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_dies_when_its_life_is_over_and_the_tombstones_with_it() {
    let (data, shelf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = up(data.path())
        .env("DIPPER_BACKUP_LIFE", "3s")
        .start()
        .await;
    let api = Api::new(&running.url);
    let rater = api.join("Rolf").await;
    let canary = Canary::join(&api, &rater).await;
    let shelf_name = shelf.path().to_string_lossy();
    let back_up = command(&["backup", &*shelf_name], data.path()).env("DIPPER_BACKUP_LIFE", "3s");
    outcome(&back_up).await.unwrap();
    let first = backups(shelf.path()).remove(0);
    canary.erase(&api).await;
    let tombstones = || std::fs::read_to_string(data.path().join("ledger/tombstones")).unwrap();
    eventually("the tombstone is gone", || async {
        (!tombstones().contains("subject")).then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
    let elsewhere = emptied(data.path());
    let why = refusal(shelf.path(), elsewhere.path()).await;
    assert!(
        why.contains("ledger") || why.contains("past its life"),
        "{why}"
    );
    let again = command(&["backup", &*shelf_name], data.path());
    let said = outcome(&again).await.unwrap();
    assert!(said.contains("deleted") && !first.exists(), "{said}");
    let late =
        command(&["restore", &*shelf_name], elsewhere.path()).env("DIPPER_BACKUP_LIFE", "1s");
    eventually("the second one is past its life as well", || async {
        let why = outcome(&late).await.err();
        why.is_some_and(|why| why.contains("past its life"))
            .then_some(())
    })
    .await;
}
