//! A rotation seals everything anew with a new key, and loses nothing.

mod kills;
mod old_backups;
mod replicas;
mod secrets;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chassis::keys::Keys;
use data_map::{SEALS, Seal, services};
use serde_json::Value;
use testkit::{Api, Birder, Launch, eventually_within};
use uuid::Uuid;

use crate::backup::copies::{copy, outcome};
use crate::canary::Canary;
use crate::erasure::{erase, scan};
use crate::export::{download, exported};
use crate::rectification::holds;
use crate::setup::{DIPPER, System};

/// Within this time PostgreSQL's files are written anew.
const SCRUBBED: Duration = Duration::from_mins(5);
/// Columns of bytes that are sealed with a key that is sealed itself.
const SEALED_WITH_THEIR_OWN: [&str; 3] = [
    "address_change.email_sealed",
    "identity.email_sealed",
    "identity.name_sealed",
];
/// Columns of bytes that are not sealed: an event that waits, and a checksum of a migration.
const NOT_SEALED: [&str; 2] = ["parked.body", "_sqlx_migrations.checksum"];

/// `dipper keys rotate` on a folder, not waiting long for requests that have sealed with the old key.
fn rotation(folder: &Path, more: &[&str]) -> Launch {
    let data = folder.to_string_lossy();
    let arguments = [&["keys", "rotate", "--data-dir", &*data], more].concat();
    Launch::new(DIPPER, &arguments).env("DIPPER_KEY_OVERLAP", "1s")
}

async fn rotate(folder: &Path, more: &[&str]) -> String {
    outcome(&rotation(folder, more)).await.unwrap()
}

/// `dipper keys admit` of keys that were kept.
async fn admit(kept: &Path, folder: &Path) -> Result<String, String> {
    let (kept, data) = (kept.to_string_lossy(), folder.to_string_lossy());
    let arguments = ["keys", "admit", &*kept, "--data-dir", &*data];
    outcome(&Launch::new(DIPPER, &arguments)).await
}

/// The keys in a data folder as they are now, for later.
fn stolen(folder: &Path) -> tempfile::TempDir {
    let elsewhere = tempfile::tempdir().unwrap();
    copy(&folder.join("keys"), elsewhere.path());
    elsewhere
}

fn question(seal: &Seal) -> String {
    let (table, column, id) = (seal.table, seal.column, seal.id);
    format!("SELECT {id}, {column} FROM {table} WHERE {column} IS NOT NULL")
}

/// How many values of a column keys open, and which there are.
async fn opened(system: &System, seal: &Seal, keys: &Keys) -> (usize, Vec<Vec<u8>>) {
    let values: Vec<(Uuid, Vec<u8>)> = system.values_of(seal.service, question(seal)).await;
    let key = keys.sealing(seal.purpose);
    let opened = values
        .iter()
        .filter(|(id, value)| key.open(&seal.place(id), value).is_ok());
    let opened = opened.count();
    (opened, values.into_iter().map(|(_, value)| value).collect())
}

/// Every column of bytes is known to be sealed, so that a rotation forgets none.
async fn expect_all_declared(system: &System) {
    let declared = SEALS
        .iter()
        .map(|seal| format!("{}.{}", seal.table, seal.column));
    let declared: BTreeSet<String> = declared
        .chain(SEALED_WITH_THEIR_OWN.map(str::to_owned))
        .collect();
    let mut found = BTreeSet::new();
    for service in services() {
        let columns = system.byte_columns_of(service).await;
        let names = columns
            .iter()
            .map(|(table, column)| format!("{table}.{column}"));
        found.extend(names.filter(|name| !NOT_SEALED.contains(&name.as_str())));
    }
    assert_eq!(found, declared);
}

/// What somebody sees of themselves.
async fn seen_by(api: &Api, birder: &Birder) -> (Value, Value) {
    let profile = api.get_as(birder, "/api/v1/users/me").await.expect(200);
    let ticks = api.get_as(birder, "/api/v1/ticks?user=me").await;
    (profile.json, ticks.expect(200).json)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_opens_nothing_that_is_there_after_a_rotation_on_sqlite() {
    whole_rotation(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_opens_nothing_that_is_there_after_a_rotation_on_postgres() {
    whole_rotation(System::up_on_postgres().await).await;
}

async fn whole_rotation(system: System) {
    let api = &system.api;
    let (ada, ben) = (Canary::join(api).await, Canary::join(api).await);
    let waiting = exported(api, &ada.birder).await;
    let seen = seen_by(api, &ada.birder).await;
    let stolen = stolen(system.folder());
    let old = Keys::open_existing(stolen.path()).unwrap();
    let mut sealed_before = Vec::new();
    for seal in SEALS {
        let (opens, values) = opened(&system, seal, &old).await;
        assert_eq!(opens, values.len(), "{}", seal.column);
        sealed_before.extend(values);
    }
    assert!(sealed_before.len() >= 7, "of two people, and an archive");

    let said = rotate(system.folder(), &[]).await;

    assert!(said.contains("done: nothing on the disk opens"), "{said}");
    assert!(
        said.contains("tick-api: tick.place: 2 sealed anew"),
        "{said}"
    );
    expect_all_declared(&system).await;
    let new = Keys::open_existing(&system.folder().join("keys")).unwrap();
    for seal in SEALS {
        let (opens, values) = opened(&system, seal, &new).await;
        assert_eq!(opens, values.len(), "{}", seal.column);
        assert_eq!(opened(&system, seal, &old).await.0, 0, "{}", seal.column);
    }
    let databases = system.database_files();
    eventually_within(
        SCRUBBED,
        "what the old key opens is overwritten",
        || async {
            let is_there = |sealed: &Vec<u8>| databases.iter().any(|folder| holds(folder, sealed));
            (!sealed_before.iter().any(is_there)).then_some(())
        },
    )
    .await;
    assert_eq!(seen_by(api, &ada.birder).await, seen);
    download(api, &waiting).await;
    // Fences, look-ups and codes are the same.
    let (email, password) = (ben.birder.email.clone(), ben.birder.password.clone());
    assert_eq!(api.log_in(email, password).await.id, ben.birder.id);
    erase(api, &ada.birder).await;
    let found = scan(
        system.folder(),
        &[ada.note.clone(), ada.birder.email.clone()],
    )
    .await;
    assert_eq!(found, (Some(0), Vec::new()));
    Canary::join(api).await;
    let again = rotate(system.folder(), &[]).await;
    assert!(again.contains("destroyed: key 2"), "{again}");
    assert_eq!(
        seen_by(api, &ben.birder).await.0["email"],
        *ben.birder.email
    );
    system.stop().await;
}
