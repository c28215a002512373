//! Files that somebody copied by hand.

use tempfile::TempDir;
use testkit::databases::{postgres_execute, postgres_tables_naming};
use testkit::{Api, Birder, Launch, Postgres};

use super::copies::{copy, replace};
use super::people::{Canary, start_restored, start_restored_with};
use crate::setup::up;

/// A stopped instance from which a canary was erased, copies of its parts from before, and who stays.
async fn erased_since_a_copy(parts: &[&str]) -> (TempDir, TempDir, Canary, Birder) {
    let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let rater = api.join("Rolf").await;
    let canary = Canary::join(&api, &rater).await;
    assert_eq!(running.stop().await, Some(0));
    for part in parts {
        copy(&folder.path().join(part), &copies.path().join(part));
    }
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    canary.erase(&api).await;
    assert_eq!(running.stop().await, Some(0));
    assert_eq!(canary.found_in(folder.path()), Vec::<String>::new());
    (folder, copies, canary, rater)
}

#[tokio::test(flavor = "multi_thread")]
async fn old_databases_are_noticed_and_bring_nobody_back() {
    let (folder, copies, canary, rater) = erased_since_a_copy(&["db", "objects"]).await;
    for part in ["db", "objects"] {
        replace(&folder.path().join(part), &copies.path().join(part));
    }
    assert!(!canary.found_in(folder.path()).is_empty());
    let running = start_restored(folder.path()).await;
    let api = Api::new(&running.url);
    canary.expect_nobody(&api).await;
    api.log_in(rater.email, rater.password).await;
    assert_eq!(running.stop().await, Some(0));
    assert_eq!(canary.found_in(folder.path()), Vec::<String>::new());
    // The next start is an ordinary one.
    let running = up(folder.path()).start().await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_postgres_is_noticed_and_brings_nobody_back() {
    let (postgres, folder) = (Postgres::start().await, tempfile::tempdir().unwrap());
    let today = postgres.url();
    let start = up(folder.path()).env("DIPPER_DATABASE_URL", &today);
    let running = start.clone().start().await;
    let api = Api::new(&running.url);
    let rater = api.join("Rolf").await;
    let canary = Canary::join(&api, &rater).await;
    assert_eq!(running.stop().await, Some(0));
    for statement in [
        "CREATE DATABASE yesterday TEMPLATE postgres",
        "GRANT CREATE ON DATABASE yesterday TO dipper",
    ] {
        postgres_execute(&postgres.url_of("postgres"), "public", statement).await;
    }
    let running = start.start().await;
    canary.erase(&Api::new(&running.url)).await;
    assert_eq!(running.stop().await, Some(0));

    let yesterday = today.replace("/postgres", "/yesterday");
    let (person, image) = (canary.birder.id, canary.image);
    assert!(!postgres_tables_naming(&yesterday, person).await.is_empty());
    let set = |launch: Launch| launch.env("DIPPER_DATABASE_URL", &yesterday);
    let running = start_restored_with(folder.path(), set).await;
    let api = Api::new(&running.url);
    canary.expect_nobody(&api).await;
    api.log_in(rater.email, rater.password).await;
    assert_eq!(running.stop().await, Some(0));
    for id in [person, image] {
        assert_eq!(
            postgres_tables_naming(&yesterday, id).await,
            Vec::<String>::new()
        );
    }
}

/// What an instance says that does not start.
async fn complaint(launch: &Launch) -> String {
    let output = launch.output().await;
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_or_a_missing_ledger_is_refused() {
    let (folder, copies, _, _) = erased_since_a_copy(&["ledger"]).await;
    let ledger = folder.path().join("ledger");
    let newest = copies.path().join("newest");
    copy(&ledger, &newest);
    let start = up(folder.path());
    replace(&ledger, &copies.path().join("ledger"));
    let why = complaint(&start).await;
    assert!(why.contains("is older than the one"), "{why}");
    std::fs::remove_dir_all(&ledger).unwrap();
    let why = complaint(&start).await;
    assert!(why.contains("ledger of erased people is missing"), "{why}");
    copy(&newest, &ledger);
    let running = start.start().await;
    assert_eq!(running.stop().await, Some(0));
}
