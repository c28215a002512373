//! Who moves to another instance with their export is there as they were here, and nothing happens twice.

mod choices;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Api, Birder, Launch, Wire, eventually, nats_server};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::erasure::erase;
use crate::export::archive::Archive;
use crate::export::{Canary, canary, download, exported};
use crate::round::{expect_figures, rating_mails};
use crate::setup::{DIPPER, System, up};

const PASSWORD: &str = "Ada watches other birds";
/// Tables whose rows stay where they were: `services/data-map/src/imports.rs` says why.
const STAY: [(&str, &str); 2] = [("auth-api", "session"), ("notifier", "unsubscribe")];

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_the_same_after_an_import_on_sqlite() {
    Box::pin(there_and_here(System::up().await, System::up().await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_the_same_after_an_import_on_postgres() {
    let there = System::up_on_postgres().await;
    Box::pin(there_and_here(there, System::up_on_postgres().await)).await;
}

async fn there_and_here(there: System, here: System) {
    let (ada, archive) = leave(&there).await;
    let (_kept, file) = saved(&archive);
    let output = import(here.folder(), &file).await;
    let ada = arrive(&here.api, &ada, &output).await;

    expect_settled(&here, &ada, &archive).await;
    let again = expect_same(&archive, &here.api, &ada.birder).await;
    expect_a_rebuild_to_be_equal(&here).await;

    // A second time nothing happens.
    let refused = import(here.folder(), &file).await;
    assert_refused(&refused, "is here already");
    let third = download(&here.api, &exported(&here.api, &ada.birder).await).await;
    assert_eq!(again.content(), third.content());

    erase(&here.api, &ada.birder).await;
    // Nor does anything say any more which photos she rated elsewhere.
    let rated = archive.rows("tick-api", "rating").into_iter();
    let rated = rated.map(|row| row["image"].as_str().unwrap().parse().unwrap());
    for id in rated.chain([ada.birder.id, ada.image]) {
        assert_eq!(here.tables_naming(id).await, Vec::<String>::new());
        let wire = Wire::connect(here.folder(), "operator").await;
        assert_eq!(wire.streams_naming(id).await, Vec::<String>::new());
    }
    let refused = import(here.folder(), &file).await;
    assert_refused(&refused, "was erased here");
    there.stop().await;
    here.stop().await;
}

/// Somebody who has rated and was rated, in all ways, and their export.
async fn leave(system: &System) -> (Canary, Archive) {
    let api = &system.api;
    let [ada, ben, cyd] = [canary(api).await, canary(api).await, canary(api).await];
    let preferences = json!({"preferences": {"notifications": "daily", "locale": "de"}});
    api.send(
        Method::PATCH,
        "/api/v1/users/me",
        Some(&ada.birder.token),
        Some(&preferences),
    )
    .await
    .expect(200);
    for (rater, owner, ratings) in [
        (&ben, &ada, &[2, 4][..]),
        (&cyd, &ada, &[5]),
        (&ada, &ben, &[3]),
        (&ada, &cyd, &[1, 2]),
    ] {
        let path = format!("/api/v1/images/{}/rating", owner.image);
        for rating in ratings {
            let rating = json!({"rating": rating});
            api.put_as(&rater.birder, &path, &rating).await.expect(200);
        }
    }
    for (rater, owner) in [(&cyd, &ada), (&ada, &cyd)] {
        let path = format!("/api/v1/images/{}/rating", owner.image);
        api.delete_as(&rater.birder, &path).await.expect(204);
    }
    let second = api.tick(&ada.birder).await;
    let ticks = api.get_as(&ada.birder, "/api/v1/ticks?user=me").await;
    let ticks = ticks.expect(200).json["items"].as_array().unwrap().clone();
    let of_second = |tick: &&Value| {
        tick["image"]["url"]
            .to_string()
            .contains(&second.to_string())
    };
    let gone = ticks.iter().find(of_second).unwrap();
    let gone = format!("/api/v1/ticks/{}", gone["id"].as_str().unwrap());
    api.delete_as(&ada.birder, &gone).await.expect(204);
    eventually("all is counted, and Ada is told of her ratings", || async {
        let figures = api.figures().await;
        let is_told = !rating_mails(api, &ada.birder).await.is_empty();
        let is_counted = figures["scores"] == 4 && figures["ratings"] == 2 && figures["ticks"] == 3;
        (is_told && is_counted).then_some(())
    })
    .await;
    // What waits to be mailed stays behind, so nothing is to wait.
    let archive = eventually("nothing waits to be mailed", || async {
        let archive = download(api, &exported(api, &ada.birder).await).await;
        archive
            .rows("notifier", "pending")
            .is_empty()
            .then_some(archive)
    })
    .await;
    (ada, archive)
}

/// As Ada keeps it: not in the data folder, where an erasure would find her in it.
fn saved(archive: &Archive) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ada.zip");
    std::fs::write(&file, &archive.bytes).unwrap();
    (folder, file)
}

fn importing(folder: &Path, file: &Path) -> Launch {
    let (folder, server) = (folder.to_string_lossy(), nats_server());
    let arguments = ["import", &file.to_string_lossy(), "--data-dir", &folder];
    let server = ["--nats-server", &server.to_string_lossy()];
    Launch::new(DIPPER, &[arguments.as_slice(), server.as_slice()].concat())
}

async fn import(folder: &Path, file: &Path) -> Output {
    importing(folder, file).output().await
}

/// With a password of the operator's choice.
async fn import_with(password: &str, folder: &Path, file: &Path) -> Output {
    let mut command = Command::new(DIPPER);
    command
        .arg("import")
        .arg(file)
        .args(["--password-stdin", "--data-dir"])
        .arg(folder)
        .arg("--nats-server")
        .arg(nats_server())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DIPPER_")) {
        command.env_remove(name);
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(password.as_bytes()).await.unwrap();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

/// Logs in with the password that the import has made.
async fn arrive(api: &Api, ada: &Canary, output: &Output) -> Canary {
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(said.contains(&format!("user {}", ada.birder.id)), "{said}");
    let password = said.lines().find_map(|line| line.strip_prefix("password "));
    let email = ada.birder.email.clone();
    let birder = api.log_in(email, password.unwrap().to_owned()).await;
    assert_eq!(birder.id, ada.birder.id);
    Canary {
        birder,
        ..ada.clone()
    }
}

fn assert_refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(why), "{said}");
}

/// Everything is counted once, and nobody is mailed.
async fn expect_settled(here: &System, ada: &Canary, archive: &Archive) {
    let facts = archive.rows("statistics", "fact");
    let facts_of = |kind: &str| facts.iter().filter(|fact| fact["kind"] == kind).count();
    // Those who rated her photos are counted as the one person that they were at least, and the one who
    // took it back.
    expect_figures(
        &here.api,
        &json!({
            "ticks": 1, "ratings": 2, "images": 1, "scores": facts_of("score"),
            "notifications": facts_of("notification"), "logins": facts_of("login") + 1, "users": 3,
        }),
    )
    .await;
    assert_eq!(here.api.mails_to("@").await, Vec::<Value>::new());
    let path = format!("/api/v1/images/{}", ada.image);
    let image = here.api.get_as(&ada.birder, &path).await.expect(200).json;
    assert_eq!(image["rating"], json!({"mean": 4.0, "count": 1}));
    let path = format!("/api/v1/ticks/{}", ada.tick);
    let tick = here.api.get_as(&ada.birder, &path).await.expect(200).json;
    assert_eq!(tick["place"]["lat"], 59.858_612);
    let me = here
        .api
        .get_as(&ada.birder, "/api/v1/users/me")
        .await
        .expect(200)
        .json;
    assert_eq!(
        me["preferences"],
        json!({"notifications": "daily", "locale": "de"})
    );
    let lists = here
        .api
        .get_as(&ada.birder, "/api/v1/users/me/lists/life")
        .await;
    assert_eq!(lists.expect(200).json["items"].as_array().unwrap().len(), 1);
    for size in [2048, 1024, 400] {
        let path = format!("images/{}/{size}.jpg", ada.image);
        let served = here.api.get(&format!("/{path}")).await.expect(200).bytes;
        assert_eq!(archive.file(&path), served);
    }
}

/// As soon as all services have read the events, another export holds what the first does, and that its person has
/// logged in once more.
async fn expect_same(first: &Archive, api: &Api, birder: &Birder) -> Archive {
    let first = items(first);
    let (again, second) = eventually("another export holds what the first does", || async {
        let again = download(api, &exported(api, birder).await).await;
        let second = items(&again);
        first.is_subset(&second).then_some((again, second))
    })
    .await;
    let more: Vec<_> = second.difference(&first).collect();
    assert_eq!(more.len(), 2, "{more:#?}");
    assert!(more.iter().all(|item| item.contains("login")), "{more:#?}");
    again
}

/// Each thing that a document tells, with where it stands. It tells nothing twice.
fn items(archive: &Archive) -> BTreeSet<String> {
    let content = archive.content();
    let mut items = BTreeSet::new();
    for (name, part) in content.as_object().unwrap() {
        let Some(list) = part.as_array().filter(|_| name != "holdings") else {
            continue;
        };
        for one in list {
            assert!(items.insert(format!("{name} {one}")), "{name} {one}");
        }
    }
    for holding in content["holdings"].as_array().unwrap() {
        let mut about = holding.clone();
        let rows = about.as_object_mut().unwrap().remove("rows").unwrap();
        items.insert(format!("holding {about}"));
        let (service, table) = (
            holding["service"].as_str().unwrap(),
            holding["table"].as_str().unwrap(),
        );
        if STAY.contains(&(service, table)) {
            continue;
        }
        for row in rows.as_array().unwrap() {
            let row = format!("{service} {table} {row}");
            assert!(items.insert(row.clone()), "{row}");
        }
    }
    items.insert(format!("person {}", content["person"]));
    items
}

/// Statistics, built anew beside the live one, comes to the same rows.
pub async fn expect_a_rebuild_to_be_equal(here: &System) {
    let folder = here.folder().to_string_lossy().into_owned();
    let arguments = [
        "rebuild",
        "statistics",
        "--switch",
        "never",
        "--data-dir",
        &folder,
    ];
    let output = Launch::new(DIPPER, &arguments).output().await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(!said.contains("differ"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_into_a_stopped_instance_that_is_killed_again_and_again_ends_as_one() {
    let there = System::up().await;
    let (ada, archive) = leave(&there).await;
    let here = System::up().await;
    let (_kept, file) = saved(&archive);
    let folder = here.stop_and_keep().await;
    let mut patience = Duration::from_millis(300);
    loop {
        // Dropped when its time is over, which kills it.
        let importing = import_with(PASSWORD, folder.path(), &file);
        match tokio::time::timeout(patience, importing).await {
            Ok(output) if output.status.success() => break,
            // It was killed after its end.
            Ok(output) => break assert_refused(&output, "is here already"),
            Err(_) => patience += Duration::from_millis(150),
        }
    }
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let birder = api.log_in(ada.birder.email, PASSWORD.to_owned()).await;
    eventually("all is counted once", || async {
        let figures = api.figures().await;
        (figures["ticks"] == 1 && figures["ratings"] == 2 && figures["users"] == 3).then_some(())
    })
    .await;
    expect_same(&archive, &api, &birder).await;
    assert_eq!(rating_mails(&api, &birder).await, Vec::<Value>::new());
    assert_eq!(running.stop().await, Some(0));
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_export_of_one_person_changes_nothing() {
    let there = System::up().await;
    let (ada, archive) = leave(&there).await;
    let (_kept, file) = saved(&archive);
    let already = import(there.folder(), &file).await;
    assert_refused(&already, "is here already");

    let here = System::up().await;
    let eve = here.api.join("Eve").await;
    let [tick, image, identity] = [
        ("tick-api", "tick"),
        ("tick-api", "image"),
        ("user-api", "identity"),
    ]
    .map(|table| holding(&archive, table));
    let row = |holding: &str| format!("{holding}/rows/0");
    let somebody = Value::from(eve.id.to_string());
    let event = "/events/0/event";
    for (place, name, value, why) in [
        ("", "more", json!(1), "does not follow the schema"),
        (
            &row(&tick),
            "owner",
            somebody.clone(),
            "owner is somebody else",
        ),
        (&row(&tick), "wings", json!(2), "there is no column wings"),
        (&image, "table", json!("picture"), "that it has no row of"),
        (event, "version", json!("9.0"), "events in the archive"),
        (
            &format!("{event}/data/user"),
            "id",
            somebody,
            "names somebody else",
        ),
        (
            &row(&identity),
            "email_sealed",
            json!(eve.email),
            "has this person's address",
        ),
    ] {
        let mut document = archive.document.clone();
        document.pointer_mut(place).unwrap()[name] = value;
        std::fs::write(&file, archive.with_document(&document)).unwrap();
        assert_refused(&import(here.folder(), &file).await, why);
    }
    let mut damaged = archive.bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    assert_refused(&import(here.folder(), &file).await, "damaged");
    for id in [ada.birder.id, ada.image, ada.tick] {
        assert_eq!(here.tables_naming(id).await, Vec::<String>::new());
    }
    there.stop().await;
    here.stop().await;
}

/// Where a document holds a table.
fn holding(archive: &Archive, (service, table): (&str, &str)) -> String {
    let holdings = archive.document["holdings"].as_array().unwrap();
    let is_it = |one: &Value| one["service"] == service && one["table"] == table;
    let place = holdings.iter().position(is_it).unwrap();
    format!("/holdings/{place}")
}
