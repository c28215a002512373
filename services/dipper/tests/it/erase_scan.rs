//! `dipper erase scan` as an operator uses it: what is planted is found, whatever hides it.

use std::io::Write as _;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testkit::wire::Stored;
use testkit::{Wire, eventually};
use uuid::Uuid;

use crate::erasure::{ask, ended, erase, scan};
use crate::round::rating_mails;
use crate::setup::System;

const ADDRESS: &str = "Turdus.merula@example.org";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive's entry without the archive's directory, as a truncated file has it.
fn zip_entry(bytes: &[u8]) -> Vec<u8> {
    let mut entry = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    entry.extend([0; 16]);
    entry.extend(4_u16.to_le_bytes());
    entry.extend(0_u16.to_le_bytes());
    entry.extend(b"name");
    let mut encoder = flate2::write::DeflateEncoder::new(entry, Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_needle_is_found_in_every_form_and_container() {
    let id = Uuid::new_v4();
    let utf16: Vec<u8> = ADDRESS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(format!("To: {ADDRESS}\n"));
    let around = |bytes: &[u8]| [b"..", bytes, b".."].concat();
    let planted: [(&str, Vec<u8>, &str); 10] = [
        ("text", ADDRESS.into(), "text"),
        ("upper", ADDRESS.to_uppercase().into(), "text"),
        ("wide", utf16, "utf-16"),
        ("mail", base64.into(), "base64"),
        ("hex", hex::encode(ADDRESS).into(), "hex"),
        ("percent", ADDRESS.replace('@', "%40").into(), "percent"),
        ("blob", id.as_bytes().to_vec(), "uuid bytes"),
        ("digits", id.simple().to_string().into(), "uuid digits"),
        ("squeezed", around(&gzip(ADDRESS.as_bytes())), "text"),
        (
            "packed",
            around(&zip_entry(&gzip(ADDRESS.as_bytes()))),
            "text",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, _) in &planted {
        std::fs::write(folder.path().join(name), around(bytes)).unwrap();
    }
    std::fs::create_dir(folder.path().join(id.to_string())).unwrap();
    let (code, found) = scan(folder.path(), &[ADDRESS, &id.to_string()]).await;
    assert_eq!(code, Some(1));
    for (name, _, form) in &planted {
        let file = folder.path().join(name).display().to_string();
        let is_found =
            |line: &String| line.starts_with(&file) && line.ends_with(&format!("as {form}"));
        assert!(found.iter().any(is_found), "{name}: {found:#?}");
    }
    let named = found
        .iter()
        .any(|line| line.contains("in its name: needle 2"));
    assert!(named, "{found:#?}");
    assert!(
        !found.iter().any(|line| line.contains(ADDRESS)),
        "it names places only"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_a_missing_folder_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "nobody is named here").unwrap();
    assert_eq!(scan(folder.path(), &[ADDRESS]).await, (Some(0), Vec::new()));
    let elsewhere = folder.path().join("elsewhere");
    assert_eq!(scan(&elsewhere, &[ADDRESS]).await.0, Some(2));
    assert_eq!(
        scan(folder.path(), &["ab"]).await.0,
        Some(2),
        "too short to tell"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birders_ids_are_found_where_the_data_map_says_and_the_address_nowhere_but_in_mail() {
    let system = System::up().await;
    let ada = system.api.join("Ada").await;
    let image = system.api.tick(&ada).await;
    let (_, found) = scan(system.folder(), &[&image.to_string()]).await;
    for store in ["db", "objects", "nats/store"] {
        let below = system.folder().join(store).display().to_string();
        assert!(
            found.iter().any(|line| line.starts_with(&below)),
            "{store}: {found:#?}"
        );
    }
    let (_, found) = scan(system.folder(), &[&ada.email]).await;
    let mail = system.folder().join("mail").display().to_string();
    assert!(!found.is_empty(), "it was mailed to");
    assert!(
        found.iter().all(|line| line.starts_with(&mail)),
        "{found:#?}"
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_nothing_is_found_in_any_store() {
    let system = System::up().await;
    let name = format!("Canary{}", Uuid::new_v4().as_fields().0);
    let canary = system.api.join(&name).await;
    let rater = system.api.join("Eve").await;
    let image = system.api.tick(&canary).await;
    let rating = format!("/api/v1/images/{image}/rating");
    let four = json!({"rating": 4});
    let given = system.api.put_as(&rater, &rating, &four).await;
    given.expect(200);
    eventually("the canary is told of the rating", || async {
        let mails = rating_mails(&system.api, &canary).await;
        (!mails.is_empty()).then_some(())
    })
    .await;
    let needles = [
        canary.id.to_string(),
        image.to_string(),
        canary.email.clone(),
        name,
    ];
    for needle in &needles[..3] {
        let (code, _) = scan(system.folder(), &[needle]).await;
        assert_eq!(code, Some(1), "each is somewhere before");
    }
    let receipt = erase(&system.api, &canary).await["receipt"]["scan"].clone();
    for store in ["db", "nats"] {
        assert!(names(&receipt["found_before"], store), "{receipt}");
        assert!(names(&receipt["stores"], store), "{receipt}");
    }
    assert_eq!(receipt["missed_before"], json!([]));
    assert_eq!(receipt["unread_files"], 0);
    // The broker writes what it knows of its files anew when it stops, or after two minutes.
    let folder = system.stop_and_keep().await;
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    assert_eq!(scan(folder.path(), &needles).await, (Some(0), Vec::new()));
}

fn names(list: &Value, store: &str) -> bool {
    list.as_array().unwrap().contains(&json!(store))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_not_over_as_long_as_anything_is_found() {
    let system = System::up().await;
    let api = &system.api;
    let canary = api.join("Ada").await;
    let copy = system.folder().join("objects").join("copy");
    std::fs::write(&copy, format!("a copy that nobody knew of: {}", canary.id)).unwrap();
    let status_url = ask(api, &canary).await;
    eventually("it says where the person is still found", || async {
        let status = api.get(&status_url).await.expect(200).json;
        (status["found_in"] == json!(["objects"])).then_some(status)
    })
    .await;
    let status = api.get(&status_url).await.expect(200).json;
    assert_eq!(status["state"], "scanning");
    assert_eq!(status["receipt"], Value::Null);
    std::fs::remove_file(&copy).unwrap();
    let status = ended(api, &status_url).await;
    assert_eq!(status["found_in"], Value::Null);
    assert!(names(&status["receipt"]["scan"]["found_before"], "objects"));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_by_an_event_alone_is_looked_for_as_well() {
    let system = System::up().await;
    let api = &system.api;
    let canary = api.join("Ada").await;
    let wire = Wire::connect(system.folder(), "tick-api").await;
    let event = json!({
        "id": Uuid::new_v4(), "type": "delete", "version": "1.0", "data": {"user": {"id": canary.id}},
        "metadata": {"source": "services/TickAPI", "time": "2026-05-02T10:00:00Z"},
    });
    wire.publish_event(&format!("gdpr.delete.v1.{}", canary.id), &event)
        .await;
    let reader = Wire::connect(system.folder(), "operator").await;
    eventually("the person is erased", || async {
        let erased = reader.read("GDPR").await;
        let is_over = |stored: &Stored| stored.subject.starts_with("gdpr.erased.");
        erased.iter().any(is_over).then_some(())
    })
    .await;
    assert_eq!(system.tables_naming(canary.id).await, Vec::<String>::new());
    system.stop().await;
}
