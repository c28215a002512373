//! A backup from before a rotation needs the key of then.

use testkit::Api;

use super::{admit, rotate, seen_by};
use crate::backup::copies::{back_up, backups, emptied, restore};
use crate::backup::people::start_restored;
use crate::canary::Canary;
use crate::setup::System;

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_is_restored_with_the_keys_that_were_kept_and_sealed_anew_then() {
    let system = System::up().await;
    let canary = Canary::join(&system.api).await;
    let seen = seen_by(&system.api, &canary.birder).await;
    let (shelf, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = elsewhere.path().join("kept");
    back_up(system.folder(), shelf.path()).await;
    rotate(system.folder(), &["--keep", &kept.to_string_lossy()]).await;
    back_up(system.folder(), shelf.path()).await;
    let data = emptied(system.folder());
    system.stop().await;

    let [old, new] = <[_; 2]>::try_from(backups(shelf.path())).unwrap();
    let refused = restore(&old, data.path(), &[]).await.unwrap_err();
    assert!(refused.contains("keys admit"), "{refused}");
    admit(&kept, data.path()).await.unwrap();
    restore(&old, data.path(), &[]).await.unwrap();
    let running = start_restored(data.path()).await;
    let api = Api::new(&running.url);
    let log_in = async |api: &Api| {
        let (email, password) = (canary.birder.email.clone(), canary.birder.password.clone());
        api.log_in(email, password).await
    };
    let ticks = seen_by(&api, &log_in(&api).await).await.1;
    assert_eq!(ticks["items"][0]["note"], seen.1["items"][0]["note"]);
    let said = rotate(data.path(), &[]).await;
    assert!(said.contains("destroyed: key 1"), "{said}");
    assert_eq!(seen_by(&api, &log_in(&api).await).await.1, ticks);
    assert_eq!(running.stop().await, Some(0));

    restore(&new, data.path(), &["--replace"]).await.unwrap();
    let running = start_restored(data.path()).await;
    let api = Api::new(&running.url);
    log_in(&api).await;
    assert_eq!(running.stop().await, Some(0));
}
