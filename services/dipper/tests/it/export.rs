//! An export holds everything that is kept about its person, and nothing of others; it is sealed
//! where it lies, and goes with its time or its person.

pub mod archive;

use std::collections::BTreeSet;
use std::path::Path;

use chassis::database::Sql;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, NUTHATCH, PHOTO, Wire, eventually};
use uuid::Uuid;

use self::archive::Archive;
use crate::erasure::erase;
use crate::setup::{System, up};

/// As many as fill several answers.
const MANY: usize = 1200;
const TAKE_BACK_MANY: Sql = Sql {
    sqlite: "INSERT INTO deleted_tick (id, owner, deleted_at)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
             SELECT randomblob(16), (SELECT owner FROM image), i FROM n",
    postgres: "INSERT INTO deleted_tick (id, owner, deleted_at)
               SELECT gen_random_uuid(), (SELECT owner FROM image), i
               FROM generate_series(1, 1200) AS n(i)",
};

/// Somebody with something of their own in every field.
#[derive(Clone)]
pub struct Canary {
    pub birder: Birder,
    pub name: String,
    pub note: String,
    pub image: Uuid,
    pub tick: Uuid,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_all_of_its_person_and_nothing_of_others_on_sqlite() {
    whole_export(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_all_of_its_person_and_nothing_of_others_on_postgres() {
    whole_export(System::up_on_postgres().await).await;
}

async fn whole_export(system: System) {
    let api = &system.api;
    let [ada, ben, cyd] = [canary(api).await, canary(api).await, canary(api).await];
    // One after the other: of two ratings at the same time the owner is told in one mail.
    let pairs = [(&ben, &ada), (&cyd, &ada), (&ada, &ben), (&ben, &cyd)];
    for ((rater, owner), number) in pairs.into_iter().zip(1..) {
        let path = format!("/api/v1/images/{}/rating", owner.image);
        let rating = json!({"rating": 4});
        api.put_as(&rater.birder, &path, &rating).await.expect(200);
        settled(api, number).await;
    }

    let first = download(api, &exported(api, &ada.birder).await).await;
    let status = exported(api, &ada.birder).await;
    let archive = download(api, &status).await;
    assert_eq!(first.content(), archive.content());
    expect_all_of(&system, &archive, &ada).await;
    for other in [&ben, &cyd] {
        expect_nothing_of(&archive, other);
    }
    expect_photos(api, &archive, &ada).await;
    expect_sealed(system.folder(), &ada);
    erase(api, &ada.birder).await;
    let url = status["download_url"].as_str().unwrap();
    api.get(url).await.expect_problem(410, None);
    assert_eq!(archives(system.folder()), 0);
    assert_eq!(
        system.tables_naming(ada.birder.id).await,
        Vec::<String>::new()
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_an_answer_holds_are_all_exported_on_sqlite() {
    long_export(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_an_answer_holds_are_all_exported_on_postgres() {
    long_export(System::up_on_postgres().await).await;
}

async fn long_export(system: System) {
    let ada = system.api.join("Ada").await;
    system.api.tick(&ada).await;
    system.execute("tick-api", TAKE_BACK_MANY).await;
    let archive = download(&system.api, &exported(&system.api, &ada).await).await;
    let rows = archive.rows("tick-api", "deleted_tick");
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (MANY, MANY));
    system.stop().await;
}

/// Joins, and ticks with everything that can be told of a tick.
pub async fn canary(api: &Api) -> Canary {
    let word = || Uuid::new_v4().simple().to_string();
    // The name becomes a part of the address, which must not be too long.
    let name = format!("C{}", word().split_at(16).0);
    let note = format!("seen {}", word());
    let birder = api.join(&name).await;
    let (image, url) = api.upload(&birder, PHOTO).await;
    let tick = Uuid::new_v4();
    let body = json!({
        "id": tick, "image": {"url": url}, "species": {"id": NUTHATCH}, "seen_on": "2026-05-01",
        "count": 2, "place": {"lat": 59.858_612, "lon": 17.638_934}, "note": note,
    });
    api.post_as(&birder, "/api/v1/ticks", &body)
        .await
        .expect(201);
    Canary {
        birder,
        name,
        note,
        image,
        tick,
    }
}

/// Waits until all that follows from three ticks and some ratings has happened.
async fn settled(api: &Api, ratings: u64) {
    eventually("all is counted, and the owners are mailed", || async {
        let figures = api.figures().await;
        let has = |name: &str, number: u64| figures[name] == number;
        (has("scores", 3) && has("ratings", ratings) && has("notifications", ratings)).then_some(())
    })
    .await;
}

/// Asks for an export and waits until it is ready: its status.
pub async fn exported(api: &Api, birder: &Birder) -> Value {
    let asked = api
        .send(
            Method::POST,
            "/api/v1/gdpr/export",
            Some(&birder.token),
            None,
        )
        .await
        .expect(202)
        .json;
    let url = asked["status_url"].as_str().unwrap().to_owned();
    await_ready(api, &url).await
}

async fn await_ready(api: &Api, status_url: &str) -> Value {
    eventually("the export is ready", || async {
        let status = api.get(status_url).await.expect(200).json;
        assert_eq!(status["kind"], "export");
        (status["state"] == "ready").then_some(status)
    })
    .await
}

/// Fetches the archive that a status points to.
pub async fn download(api: &Api, status: &Value) -> Archive {
    let url = status["download_url"].as_str().unwrap();
    let answer = api.get(url).await.expect(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/zip");
    Archive::read(&answer.bytes)
}

/// What a dump of all stores finds is in the archive, or the archive says why it is not.
async fn expect_all_of(system: &System, archive: &Archive, person: &Canary) {
    let text = archive.text();
    let id = person.birder.id.to_string();
    let (image, tick) = (person.image.to_string(), person.tick.to_string());
    let email = &person.birder.email;
    for needle in [&id, &image, &tick, email, &person.name, &person.note] {
        assert!(text.contains(&needle.to_lowercase()), "{needle}");
    }
    assert!(text.contains("59.858612") && text.contains("17.638934"));
    for named in [person.birder.id, person.image] {
        for place in system.tables_naming(named).await {
            let (service, table) = service_and_table(&place);
            let told = !archive.rows(&service, &table).is_empty() || is_left_out(archive, &table);
            assert!(told, "{place} names them");
        }
    }
    let wire = Wire::connect(system.folder(), "operator").await;
    let mut named = 0;
    let all = envelope::STREAMS.iter().map(|stream| stream.name);
    for stream in all.filter(|name| *name != envelope::catalogue::DEAD.name) {
        for (subject, headers, body) in wire.messages(stream).await {
            let message = format!("{subject} {headers} {}", String::from_utf8_lossy(&body));
            named += usize::from(message.contains(&id) || message.contains(&image));
        }
    }
    let events = archive.document["events"].as_array().unwrap();
    assert_eq!(events.len(), named);
    let received = archive.rows("tick-api", "rating");
    let values: Vec<&Value> = received.iter().map(|row| &row["rating"]).collect();
    assert_eq!(values, [4, 4, 4]);
    let ticks = String::from_utf8_lossy(archive.file("ticks.csv")).into_owned();
    assert!(
        ticks.starts_with("Eurasian Nuthatch,Sitta,europaea,2,"),
        "{ticks}"
    );
}

/// `…/tick-api.db tick` or `tick_api.tick`.
fn service_and_table(place: &str) -> (String, String) {
    let place = place.rsplit('/').next().unwrap().replace(".db ", ".");
    let (service, table) = place.split_once('.').unwrap();
    (service.replace('_', "-"), table.to_owned())
}

/// Copies of events; ids of events that were handled, which lead to nobody.
fn is_left_out(archive: &Archive, table: &str) -> bool {
    let left_out = archive.document["left_out"].as_array().unwrap();
    let ending = format!(": {table}");
    let mut what = left_out.iter().map(|one| one["what"].as_str().unwrap());
    what.any(|what| what.ends_with(&ending)) || table == "inbox"
}

fn expect_nothing_of(archive: &Archive, other: &Canary) {
    let text = archive.text();
    let id = other.birder.id;
    for needle in [
        &id.to_string(),
        &id.simple().to_string(),
        &other.birder.email,
        &other.name.to_lowercase(),
        &other.note,
        &other.tick.to_string(),
    ] {
        let at = text.find(needle.as_str());
        let around = at.map(|at| &text[at.saturating_sub(300)..(at + 100).min(text.len())]);
        assert_eq!(around, None, "{needle}");
    }
}

async fn expect_photos(api: &Api, archive: &Archive, person: &Canary) {
    for size in [2048, 1024, 400] {
        let path = format!("images/{}/{size}.jpg", person.image);
        let served = api.get(&format!("/{path}")).await.expect(200).bytes;
        assert_eq!(archive.file(&path), served);
    }
}

fn expect_sealed(folder: &Path, person: &Canary) {
    assert_eq!(archives(folder), 1);
    for entry in std::fs::read_dir(folder.join("exports")).unwrap() {
        let sealed = std::fs::read(entry.unwrap().path()).unwrap();
        let has = |needle: &[u8]| sealed.windows(needle.len()).any(|part| part == needle);
        assert!(!has(b"export.json") && !has(person.image.to_string().as_bytes()));
    }
}

/// How many archives there are.
fn archives(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("exports")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_gone_after_its_time_and_needs_a_token_and_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path())
        .env("DIPPER_EXPORT_LIFE", "3s")
        .start()
        .await;
    let api = Api::new(&running.url);
    let ada = api.join("Ada").await;
    api.send(Method::POST, "/api/v1/gdpr/export", None, None)
        .await
        .expect_problem(401, None);
    let status = exported(&api, &ada).await;
    let url = status["download_url"].as_str().unwrap();
    eventually("the archive is gone", || async {
        (api.get(url).await.status == 410).then_some(())
    })
    .await;
    eventually("its file is gone", || async {
        (archives(folder.path()) == 0).then_some(())
    })
    .await;
    let status_url = url.strip_suffix("/download").unwrap();
    let status = api.get(status_url).await.expect(200).json;
    assert_eq!(status["state"], "expired");
    let unknown = format!("/api/v1/gdpr/requests/{}/download", Uuid::new_v4().simple());
    api.get(&unknown).await.expect_problem(404, None);
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_survives_a_kill_and_a_newer_one_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let ada = api.join("Ada").await;
    api.tick(&ada).await;
    let asked = api
        .send(Method::POST, "/api/v1/gdpr/export", Some(&ada.token), None)
        .await
        .expect(202)
        .json;
    let running = running.kill().await.start().await;
    let api = Api::new(&running.url);
    let first = await_ready(&api, asked["status_url"].as_str().unwrap()).await;
    download(&api, &first).await;

    let second = exported(&api, &ada).await;
    assert_ne!(first["download_url"], second["download_url"]);
    api.get(first["download_url"].as_str().unwrap())
        .await
        .expect_problem(410, None);
    download(&api, &second).await;
    eventually("one archive is left", || async {
        (archives(folder.path()) == 1).then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_an_archive_say_what_each_field_is() {
    let system = System::up().await;
    let ada = system.api.join("Ada").await;
    let archive = download(&system.api, &exported(&system.api, &ada).await).await;
    let purposes = archive.document["purposes"].as_array().unwrap();
    let known: BTreeSet<&str> = purposes
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    for holding in archive.document["holdings"].as_array().unwrap() {
        assert!(known.contains(holding["purpose"].as_str().unwrap()));
        let fields = holding["fields"].as_array().unwrap();
        for row in holding["rows"].as_array().unwrap() {
            for column in row.as_object().unwrap().keys() {
                let field = fields.iter().find(|field| field["name"] == column.as_str());
                assert_eq!(field.unwrap().get("left_out"), None, "{column}");
            }
        }
    }
    let credential = &archive.rows("auth-api", "credential")[0];
    assert_eq!(credential["role"], "birder");
    assert_eq!(credential.get("password"), None);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_how_requests_for_an_export_stand_and_not_whose_they_are() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let olga = api.join("Olga").await;
    let asked = api
        .send(Method::POST, "/api/v1/gdpr/export", Some(&olga.token), None)
        .await;
    let secret = asked.expect(202).json["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = eventually("it is ready", || async {
        let listed = api.get_as(&admin, "/api/v1/admin/gdpr/exports").await;
        let listed = listed.expect(200).json;
        (listed["items"][0]["state"] == "ready").then_some(listed)
    })
    .await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    for hidden in [secret, olga.id.to_string()] {
        assert!(!listed.to_string().contains(&hidden), "{listed}");
    }
    let refused = api.get_as(&olga, "/api/v1/admin/gdpr/exports").await;
    refused.expect_problem(404, None);
    system.stop().await;
}
