//! Erasure beside a cluster of brokers, byte by byte: an erasure waits for a server that is away, and leaves nothing in the
//! files of any of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::database::Sql;
use serde_json::{Value, json};
use testkit::broker::Broker;
use testkit::{Wire, eventually, eventually_within};

use crate::canary::{Canary, befriended};
use crate::erasure::scan_also;
use crate::setup::System;

/// What must hold.
const WITHIN: Duration = Duration::from_mins(5);

async fn is_in(place: &Path, canary: &Canary) -> bool {
    for id in canary.ids() {
        if scan_also(place, None, &[&id]).await.0 == Some(0) {
            return false;
        }
    }
    true
}

async fn expect_found(system: &System, brokers: &[Broker], canary: &Canary) {
    let files = brokers.iter().map(Broker::store);
    for place in files.chain([&*system.folder().join("db")]) {
        eventually("the ids are there", || async {
            is_in(place, canary).await.then_some(())
        })
        .await;
    }
}

/// Asks for the erasure; where its status is told.
async fn ask(system: &System, canary: &Canary) -> String {
    let password = json!({"password": canary.birder.password});
    let asked = eventually("the request is taken", || async {
        let api = &system.api;
        let asked = api.post_as(&canary.birder, "/api/v1/gdpr/delete", &password);
        let asked = asked.await;
        (asked.status == 202).then_some(asked)
    })
    .await;
    asked.json["status_url"].as_str().unwrap().to_owned()
}

async fn status(system: &System, status_url: &str) -> Value {
    system.api.get(status_url).await.json
}

async fn ends(system: &System, status_url: &str) {
    eventually_within(WITHIN, "the erasure ends", || async {
        let status = status(system, status_url).await;
        (status["state"] == "erased").then_some(())
    })
    .await;
}

/// Within the time nothing is left in the files of any server, nor elsewhere.
async fn expect_gone(system: &System, canary: &Canary) {
    let needles = canary.needles();
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    eventually_within(WITHIN, "nothing is found in any store", || async {
        let (code, _) = scan_also(system.folder(), None, &needles).await;
        (code == Some(0)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_waits_for_a_server_that_is_away_and_leaves_nothing_on_it() {
    let (system, mut brokers) = System::on_cluster().await;
    let canary = befriended(&system).await;
    expect_found(&system, &brokers, &canary).await;

    brokers[2].kill().await;
    let status_url = ask(&system, &canary).await;
    eventually("the request says what it waits for", || async {
        let status = status(&system, &status_url).await;
        (status["waiting_for"] == "broker replica").then_some(())
    })
    .await;
    let figures = system.api.get("/metrics").await.bytes;
    let figures = String::from_utf8_lossy(&figures).into_owned();
    assert!(
        figures.contains("dipper_erasure_replicas_away 1"),
        "{figures}"
    );
    // It stays so while others go on.
    befriended(&system).await;
    let open = status(&system, &status_url).await;
    assert_eq!(open["state"], "erasing", "{open}");
    assert_eq!(open["waiting_for"], "broker replica", "{open}");

    brokers[2].begin().await;
    ends(&system, &status_url).await;
    let ended = status(&system, &status_url).await;
    assert!(ended.get("waiting_for").is_none(), "{ended}");
    expect_gone(&system, &canary).await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copies_of_a_server_that_missed_an_overwriting_are_made_anew() {
    const MISSED: [&str; 3] = [
        "INSERT INTO missed (server, since) VALUES ('dipper-0', 0)",
        "INSERT INTO missed (server, since) VALUES ('dipper-1', 0)",
        "INSERT INTO missed (server, since) VALUES ('dipper-2', 0)",
    ];
    let (system, brokers) = System::on_cluster().await;
    let canary = befriended(&system).await;
    expect_found(&system, &brokers, &canary).await;

    // The hardest case: it leads.
    let wire = Wire::connect(system.folder(), "setup").await;
    let stream = wire.jetstream().get_stream("TICK").await.unwrap();
    let cluster = stream.cached_info().cluster.clone().unwrap();
    let leader = cluster.leader.unwrap();
    let number: usize = leader.trim_start_matches("dipper-").parse().unwrap();
    let folder = folder_of("TICK", brokers[number].store()).unwrap();
    std::fs::write(folder.join("bytes-that-no-index-knows"), &canary.ids()[0]).unwrap();
    let missed = Sql {
        sqlite: MISSED[number],
        postgres: MISSED[number],
    };
    system.execute("user-api", missed).await;

    let status_url = ask(&system, &canary).await;
    ends(&system, &status_url).await;
    let info = wire.jetstream().get_stream("TICK").await.unwrap();
    let info = info.cached_info();
    assert_eq!(info.config.num_replicas, 3);
    assert!(!info.config.metadata.contains_key("dipper-replicas"));
    expect_gone(&system, &canary).await;
    system.stop().await;
}

/// Where a server keeps a stream.
fn folder_of(stream: &str, store: &Path) -> Option<PathBuf> {
    for entry in std::fs::read_dir(store).ok()? {
        let path = entry.ok()?.path();
        if path.file_name()? == stream {
            return Some(path);
        }
        let below = path.is_dir().then(|| folder_of(stream, &path)).flatten();
        if below.is_some() {
            return below;
        }
    }
    None
}
