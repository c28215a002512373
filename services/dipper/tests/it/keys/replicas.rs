//! A rotation ends when every process has followed it, not one of each service.

use testkit::{Api, Launch, Postgres};

use super::rotation;
use crate::backup::copies::outcome;
use crate::canary::Canary;
use crate::setup::{serve, up};

const OLD: &str = "the first secret of this deployment";
const NEW: &str = "the second secret of this deployment";

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_destroyed_while_one_of_several_processes_seals_with_it() {
    let postgres = Postgres::start().await;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with = |launch: Launch| {
        let launch = launch.env("DIPPER_DATABASE_URL", &postgres.url());
        launch.env("DIPPER_SECRET", OLD)
    };
    let running = with(up(folder.path())).start().await;
    let api = Api::new(&running.url);
    let canary = Canary::join(&api).await;
    // Another process of the same service, which does not have the folder with the key ring.
    let credentials = folder.path().join("nats/credentials.json");
    let second = with(serve("tick-api", elsewhere.path()))
        .env("DIPPER_NATS_CREDENTIALS", &credentials.to_string_lossy())
        .start()
        .await;
    let rotated = || {
        let rotation = rotation(folder.path(), &[]).env("DIPPER_SECRET", OLD);
        rotation.env("DIPPER_NEW_SECRET", NEW)
    };

    let refused = outcome(&rotated()).await.unwrap_err();
    let why = "a process of tick-api does not see the key ring";
    assert!(refused.contains(why), "{refused}");
    let ring = std::fs::read_to_string(folder.path().join("keys/ring.json"));
    assert!(ring.is_ok());
    assert_eq!(second.stop().await, Some(0));
    let said = outcome(&rotated()).await.unwrap();
    assert!(said.contains("destroyed: key 1"), "{said}");
    let ticks = api.get_as(&canary.birder, "/api/v1/ticks?user=me").await;
    assert!(ticks.expect(200).json["items"][0]["note"].is_string());
    assert_eq!(running.stop().await, Some(0));
}
