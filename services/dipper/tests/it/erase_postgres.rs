//! Erasure on PostgreSQL, byte by byte: nothing of a person is left in the server's files either, its write-ahead log,
//! statistics and log included.

use std::path::Path;
use std::time::Duration;

use chassis::database::Sql;
use serde_json::json;
use testkit::{Birder, NUTHATCH, PHOTO, eventually, eventually_within};
use uuid::Uuid;

use crate::erase_scan::scan_also;
use crate::round::{erase, rating_mails};
use crate::setup::System;

/// What must hold.
const WITHIN: Duration = Duration::from_mins(5);

/// A birder all of whose data can be searched for.
struct Canary {
    birder: Birder,
    image: Uuid,
    name: String,
    note: String,
}

impl Canary {
    async fn join(system: &System) -> Self {
        let word = |what: &str| format!("{what}{}", Uuid::new_v4().as_fields().0);
        let (name, note) = (word("canary"), word("nesting"));
        let birder = system.api.join(&name).await;
        let (image, url) = system.api.upload(&birder, PHOTO).await;
        let body = json!({
            "image": {"url": url}, "species": {"id": NUTHATCH}, "seen_on": "2026-05-01",
            "place": {"lat": 59.858_641, "lon": 17.638_927}, "note": note,
        });
        let ticked = system.api.post_as(&birder, "/api/v1/ticks", &body).await;
        ticked.expect(201);
        Self {
            birder,
            image,
            name,
            note,
        }
    }

    /// What stands readable in databases and streams. Ids of events stay: they lead to nobody.
    fn ids(&self) -> [String; 2] {
        [self.birder.id, self.image].map(|id| id.to_string())
    }

    fn needles(&self) -> Vec<String> {
        let mut needles = self.ids().to_vec();
        needles.extend([
            self.birder.email.clone(),
            self.name.clone(),
            self.note.clone(),
        ]);
        needles
    }
}

async fn rate(system: &System, rater: &Birder, image: Uuid) {
    let path = format!("/api/v1/images/{image}/rating");
    let four = json!({"rating": 4});
    system.api.put_as(rater, &path, &four).await.expect(200);
}

/// A canary who rates two others, and is rated by them; all is handled.
async fn befriended(system: &System) -> Canary {
    let canary = Canary::join(system).await;
    for name in ["Ada", "Ben"] {
        let other = system.api.join(name).await;
        let image = system.api.tick(&other).await;
        rate(system, &other, canary.image).await;
        rate(system, &canary.birder, image).await;
    }
    eventually("the canary is told of both ratings", || async {
        let mails = rating_mails(&system.api, &canary.birder).await;
        let texts = mails.iter().filter_map(|mail| mail["text"].as_str());
        let told: usize = texts.map(|text| text.matches("/images/").count()).sum();
        (!mails.is_empty() && told > 0).then_some(())
    })
    .await;
    canary
}

/// Each id lies in the database's files and in the streams, the address in caught mail, and what is sealed nowhere.
async fn expect_found(system: &System, files: &Path, canary: &Canary) {
    let streams = system.folder().join("nats").join("store");
    for id in canary.ids() {
        for place in [files, &streams] {
            let (code, _) = scan_also(place, None, &[&id]).await;
            assert_eq!(code, Some(1), "{id} is in {}", place.display());
        }
    }
    let mail = system.folder().join("mail");
    let (code, _) = scan_also(&mail, None, &[&canary.birder.email]).await;
    assert_eq!(code, Some(1));
    let sealed = [&*canary.birder.email, &canary.name, &canary.note];
    let found = scan_also(files, None, &sealed).await;
    assert_eq!(found, (Some(0), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_nothing_is_found_in_any_file_of_postgres() {
    let system = System::up_on_postgres().await;
    let files = system.postgres_files();
    let canary = befriended(&system).await;
    // As the server does by itself once there are more rows.
    let analyze = Sql {
        sqlite: "ANALYZE",
        postgres: "ANALYZE",
    };
    system.execute("tick-api", analyze).await;
    expect_found(&system, &files, &canary).await;
    erase(&system.api, &canary.birder).await;
    let needles = canary.needles();
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    eventually_within(WITHIN, "nothing is found in any store", || async {
        let (code, _) = scan_also(system.folder(), Some(&files), &needles).await;
        (code == Some(0)).then_some(())
    })
    .await;
    system.stop().await;
}
