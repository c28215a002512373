//! Erasure on PostgreSQL, byte by byte: nothing of a person is left in the server's files either, its write-ahead log,
//! statistics and log included.

use std::path::Path;
use std::time::Duration;

use chassis::database::Sql;
use testkit::eventually_within;

use crate::canary::{Canary, befriended};
use crate::erasure::erase;
use crate::erasure::scan_also;
use crate::setup::System;

/// What must hold.
const WITHIN: Duration = Duration::from_mins(5);

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
