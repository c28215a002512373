//! A secret that is a setting is changed by whoever sets it.

use testkit::Api;

use super::{rotation, seen_by};
use crate::backup::copies::outcome;
use crate::canary::Canary;
use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_a_setting_is_followed_by_the_one_that_is_set_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        "the first secret of this deployment",
        "the second secret of this deployment",
    );
    let started = |secret| up(folder.path()).env("DIPPER_SECRET", secret).start();
    let rotated = |secret| rotation(folder.path(), &[]).env("DIPPER_SECRET", secret);
    let running = started(old).await;
    let api = Api::new(&running.url);
    let canary = Canary::join(&api).await;
    let seen = seen_by(&api, &canary.birder).await;

    let refused = outcome(&rotated(old)).await.unwrap_err();
    assert!(refused.contains("DIPPER_NEW_SECRET"), "{refused}");
    let said = outcome(&rotated(old).env("DIPPER_NEW_SECRET", new)).await;
    assert!(
        said.as_ref()
            .is_ok_and(|said| said.contains("one step is left")),
        "{said:?}"
    );
    assert_eq!(seen_by(&api, &canary.birder).await, seen);
    assert_eq!(running.stop().await, Some(0));

    let running = started(new).await;
    let api = Api::new(&running.url);
    let ticks = seen_by(&api, &canary.birder).await.1;
    assert_eq!(ticks["items"][0]["note"], seen.1["items"][0]["note"]);
    let said = outcome(&rotated(new)).await.unwrap();
    assert!(said.contains("done"), "{said}");
    let refused = outcome(&rotated(old)).await.unwrap_err();
    assert!(refused.contains("another secret"), "{refused}");
    assert_eq!(running.stop().await, Some(0));
}
