//! Backups of databases in PostgreSQL.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use testkit::{Api, Launch, Postgres, eventually_within, postgres_programs};

use super::copies::{back_up, command, emptied, outcome, restore};
use super::people::{Canary, start_restored_with};
use crate::setup::{System, up};

const WITHIN: Duration = Duration::from_mins(5);

/// An instance whose databases are in PostgreSQL, and where its backups are.
struct Place {
    postgres: Postgres,
    folder: TempDir,
    shelf: TempDir,
}

impl Place {
    async fn new() -> Self {
        Self {
            postgres: Postgres::start().await,
            folder: tempfile::tempdir().unwrap(),
            shelf: tempfile::tempdir().unwrap(),
        }
    }

    /// A program with the settings of the instance.
    fn set(&self, launch: Launch) -> Launch {
        let programs = postgres_programs();
        launch
            .env("DIPPER_DATABASE_URL", &self.postgres.url())
            .env("DIPPER_POSTGRES_PROGRAMS", &programs.to_string_lossy())
    }

    async fn back_up(&self) -> Result<String, String> {
        let to = self.shelf.path().to_string_lossy();
        let made = command(&["backup", &*to], self.folder.path());
        outcome(&self.set(made)).await
    }

    async fn restore(&self, data: &Path, more: &[&str]) -> Result<String, String> {
        let from = self.shelf.path().to_string_lossy();
        let restored = command(&[&["restore", &*from], more].concat(), data);
        outcome(&self.set(restored)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_postgres_comes_back_and_nobody_who_was_erased_since() {
    let place = Place::new().await;
    let running = place.set(up(place.folder.path())).start().await;
    let api = Api::new(&running.url);
    let rater = api.join("Rolf").await;
    let canary = Canary::join(&api, &rater).await;
    let own = api.tick(&rater).await;
    let said = place.back_up().await.unwrap();
    assert!(said.contains("lives until"), "{said}");
    canary.erase(&api).await;
    assert_eq!(running.stop().await, Some(0));

    let elsewhere = emptied(place.folder.path());
    let why = place.restore(elsewhere.path(), &[]).await.unwrap_err();
    assert!(why.contains("has tables of Dipper"), "{why}");
    let restored = place.restore(elsewhere.path(), &["--replace"]).await;
    assert!(restored.unwrap().contains("restored as of"));
    assert!(!canary.found_in(elsewhere.path()).is_empty());

    let running = start_restored_with(elsewhere.path(), |launch| place.set(launch)).await;
    let api = Api::new(&running.url);
    canary.expect_nobody(&api).await;
    let rater = api.log_in(rater.email, rater.password).await;
    let picture = format!("/images/{own}/400.jpg");
    api.get(&picture).await.expect(200);
    api.tick(&rater).await;
    eventually_within(WITHIN, "nobody is found in PostgreSQL", || async {
        let found = canary.found_in(&place.postgres.files());
        found.is_empty().then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
    assert_eq!(canary.found_in(elsewhere.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_files_is_not_restored_into_postgres_nor_without_its_programs() {
    let place = Place::new().await;
    let system = System::up().await;
    system.api.join("Ada").await;
    back_up(system.folder(), place.shelf.path()).await;
    let folder = system.stop_and_keep().await;
    let elsewhere = emptied(folder.path());
    let why = place.restore(elsewhere.path(), &[]).await.unwrap_err();
    assert!(why.contains("has its databases in SQLite"), "{why}");

    let running = place.set(up(place.folder.path())).start().await;
    let shelf = place.shelf.path().to_string_lossy();
    let made = command(&["backup", &*shelf], place.folder.path());
    let without = place.set(made).env("DIPPER_POSTGRES_PROGRAMS", "/nowhere");
    let why = outcome(&without).await.unwrap_err();
    assert!(why.contains("DIPPER_POSTGRES_PROGRAMS"), "{why}");
    place.back_up().await.unwrap();
    assert_eq!(running.stop().await, Some(0));
    let elsewhere = emptied(place.folder.path());
    let why = restore(place.shelf.path(), elsewhere.path(), &[]).await;
    let why = why.unwrap_err();
    assert!(why.contains("has its databases in PostgreSQL"), "{why}");
}
