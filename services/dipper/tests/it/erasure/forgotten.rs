//! What became of a request can be read until the last backup is gone; then nothing is left of the request either.

use testkit::{Api, databases, eventually};

use super::{ask, ended};
use crate::export::exported;
use crate::retention::told_of;
use crate::setup::up;

const REQUESTS: &str =
    "SELECT (SELECT COUNT(*) FROM erasure) + (SELECT COUNT(*) FROM erasure_service)
    + (SELECT COUNT(*) FROM export)";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_forgotten_after_the_day_that_its_receipt_names() {
    let folder = tempfile::tempdir().unwrap();
    let started = || {
        let start = up(folder.path()).env("DIPPER_BACKUP_LIFE", "15s");
        start.env("DIPPER_EXPORT_LIFE", "3s").start()
    };
    let running = started().await;
    let api = Api::new(&running.url);
    let ada = api.join("Ada").await;
    exported(&api, &ada).await;
    let status_url = ask(&api, &ada).await;
    let receipt = ended(&api, &status_url).await["receipt"].clone();
    assert!(receipt["backups_end_at"].is_string(), "{receipt}");
    let erasures = told_of(folder.path(), "user-api: erasure ").await;
    assert!(
        erasures.contains("31 days") && erasures.ends_with(" s ago"),
        "{erasures}"
    );
    // The broker rewrites its lists of subjects when it stops; nothing is looked for any more then.
    assert_eq!(running.stop().await, Some(0));
    let running = started().await;
    let api = Api::new(&running.url);

    let file = folder.path().join("db").join("user-api.db");
    eventually("nothing is left of the requests", || async {
        (databases::sqlite_count(&file, REQUESTS).await == 0).then_some(())
    })
    .await;

    api.get(&status_url).await.expect(404);
    for store in ["user-api: erasure ", "ledger/"] {
        let told = told_of(folder.path(), store).await;
        assert!(told.ends_with("nothing"), "{told}");
    }
    assert_eq!(running.stop().await, Some(0));
}
