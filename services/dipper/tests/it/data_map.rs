//! The data map against what a running instance has: nothing is kept that is not in it.

use std::collections::BTreeSet;
use std::path::Path;

use ::data_map::{Kind, STORES, columns_of, records};
use futures::TryStreamExt as _;
use serde_json::Value;
use testkit::{Launch, Wire};

use crate::setup::{DIPPER, System};

/// All services that have a database.
const SERVICES: [&str; 6] = [
    "tick-api",
    "auth-api",
    "user-api",
    "notifier",
    "statistics",
    "admin-api",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_column_stream_and_folder_is_in_the_map_on_sqlite() {
    let system = System::up().await;
    work(&system).await;
    compare_columns(&system).await;
    compare_streams(&system).await;
    compare_folders(system.folder());
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_in_the_map_on_postgres() {
    let system = System::up_on_postgres().await;
    work(&system).await;
    compare_columns(&system).await;
    system.stop().await;
}

#[test]
fn the_birders_page_tells_in_swedish_too_what_is_kept_why_and_how_long() {
    let messages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tick-api/assets/messages.sv.js");
    let messages = std::fs::read_to_string(messages).unwrap();
    let activities = serde_json::to_value(records()).unwrap()["activities"].take();
    let mut wanted = BTreeSet::new();
    for activity in activities.as_array().unwrap() {
        let id = activity["id"].as_str().unwrap();
        wanted.extend(["name", "purpose", "recipients"].map(|part| format!("kept.{part}.{id}")));
        wanted.insert(format!(
            "kept.basis.{}",
            activity["basis"].as_str().unwrap()
        ));
        let places = activity["places"].as_array().unwrap().iter();
        let ends = places.filter_map(|place| place["ends"].as_str());
        wanted.extend(ends.map(|end| format!("kept.ends.{end}")));
    }
    let missing = wanted
        .iter()
        .filter(|key| !messages.contains(&format!("\"{key}\": ")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Something happens, so that what is made only then is there.
async fn work(system: &System) {
    let (ada, ben) = (system.api.join("Ada").await, system.api.join("Ben").await);
    let image = system.api.tick(&ada).await;
    let rating = serde_json::json!({"rating": 5});
    let path = format!("/api/v1/images/{image}/rating");
    system.api.put_as(&ben, &path, &rating).await.expect(200);
}

async fn compare_columns(system: &System) {
    for service in SERVICES {
        let there: BTreeSet<(String, String)> =
            system.columns_of(service).await.into_iter().collect();
        let mapped = columns_of(service).into_iter();
        let mapped: BTreeSet<(String, String)> = mapped
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect();
        let unknown: Vec<_> = there.difference(&mapped).collect();
        let gone: Vec<_> = mapped.difference(&there).collect();
        assert!(
            unknown.is_empty(),
            "{service}: not in the data map: {unknown:?}"
        );
        assert!(gone.is_empty(), "{service}: only in the data map: {gone:?}");
    }
}

fn mapped(kind: Kind) -> BTreeSet<&'static str> {
    let stores = STORES.iter().filter(|store| store.kind == kind);
    stores.map(|store| store.name).collect()
}

/// A bucket of keys or objects is a stream too.
async fn compare_streams(system: &System) {
    let wire = Wire::connect(system.folder(), "admin-api").await;
    let there: BTreeSet<String> = wire.jetstream().stream_names().try_collect().await.unwrap();
    assert_eq!(
        there,
        mapped(Kind::Stream)
            .into_iter()
            .map(str::to_owned)
            .collect()
    );
}

fn compare_folders(folder: &Path) {
    let mut there = BTreeSet::new();
    for name in names_in(folder) {
        // The broker's folder has parts of different kinds.
        if name == "nats" {
            let parts = names_in(&folder.join(&name)).into_iter();
            there.extend(parts.map(|part| format!("nats/{part}")));
        } else {
            there.insert(name);
        }
    }
    if folder.join("objects/facts").is_dir() {
        there.insert("objects/facts".to_owned());
    }
    assert_eq!(
        there,
        mapped(Kind::Path).into_iter().map(str::to_owned).collect()
    );
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_processing_are_served_and_can_be_written() {
    let system = System::up().await;
    let served = system.api.get("/api/records.json").await.expect(200).json;
    let notice = system.api.get("/privacy").await.expect(200).bytes;
    system.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let output = Launch::new(DIPPER, &["data-map", "export", &path])
        .output()
        .await;
    assert!(output.status.success());
    let written = std::fs::read(folder.path().join("records.json")).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(served, written);
    assert_eq!(
        notice,
        std::fs::read(folder.path().join("privacy.html")).unwrap()
    );
    let activities = written["activities"].as_array().unwrap();
    for (id, basis, place) in [
        ("mail", "contract", "notifier: account_mail.user_id"),
        (
            "rating-mail",
            "legitimate-interest",
            "notifier: pending.owner",
        ),
        ("places", "consent", "tick-api: tick.place"),
    ] {
        let activity = activities.iter().find(|one| one["id"] == id).unwrap();
        assert_eq!(activity["basis"], basis);
        let places = activity["places"].as_array().unwrap();
        assert!(places.iter().any(|one| one["place"] == place), "{id}");
    }
}

#[tokio::test]
async fn the_map_can_be_listed() {
    let output = Launch::new(DIPPER, &["data-map", "list"]).output().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said
        .lines()
        .find(|line| line.starts_with("user-api: identity.email_sealed"));
    let line = line.expect("the address is in the map");
    assert!(
        line.contains("account holder") && line.contains("made unreadable with its key"),
        "{line}"
    );
}
