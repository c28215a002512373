//! Whoever puts their name right leaves no trace of the wrong one.

use std::path::Path;

use reqwest::Method;
use serde_json::json;
use testkit::{databases, eventually};
use uuid::Uuid;

use crate::erasure::scan;
use crate::setup::System;

const SEALED: &str = "SELECT name_sealed FROM identity";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_put_right_is_nowhere_any_more_not_even_sealed() {
    let system = System::up().await;
    let api = &system.api;
    let wrong = format!("Wrong{}", Uuid::new_v4().as_fields().0);
    let ada = api.join("Ada").await;
    let named = |name: &str| json!({"name": name});
    let path = "/api/v1/users/me";
    let change = async |body| {
        let changed = api.send(Method::PATCH, path, Some(&ada.token), Some(&body));
        changed.await.expect(200);
    };
    change(named(&wrong)).await;
    let file = system.folder().join("db").join("user-api.db");
    let sealed = databases::sqlite_bytes(&file, SEALED).await;
    assert!(holds(file.parent().unwrap(), &sealed), "it is there before");

    change(named("Ada")).await;

    eventually("the sealed name is overwritten", || async {
        (!holds(file.parent().unwrap(), &sealed)).then_some(())
    })
    .await;
    let found = scan(system.folder(), &[&wrong]).await;
    assert_eq!(found, (Some(0), Vec::new()));
    let profile = api.get_as(&ada, path).await.expect(200).json;
    assert_eq!(profile["name"], "Ada");
    system.stop().await;
}

/// Whether some file of a folder, or below it, holds these bytes.
pub fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        // Files of the log come and go.
        let file = std::fs::read(path).unwrap_or_default();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}
