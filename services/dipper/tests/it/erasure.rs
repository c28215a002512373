//! Erasure, from the request to the last byte, whatever happens meanwhile.

mod again;
mod deadlines;
mod forgotten;
mod kills;
mod late;
mod others;
mod races;
mod silent;
mod stalled;

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Api, Birder, Launch, eventually};
use uuid::Uuid;

use crate::canary::Canary;
use crate::setup::DIPPER;

/// Asks for deletion: where its progress is told.
pub async fn ask(api: &Api, birder: &Birder) -> String {
    let proof = json!({"password": birder.password});
    let asked = api.post_as(birder, "/api/v1/gdpr/delete", &proof).await;
    let asked = asked.expect(202).json;
    asked["status_url"].as_str().unwrap().to_owned()
}

/// The status of a request when it is done.
pub async fn ended(api: &Api, status_url: &str) -> Value {
    eventually("the erasure ends", || async {
        let status = api.get(status_url).await.expect(200).json;
        assert_ne!(status["state"], "failed", "{status}");
        status["receipt"].is_object().then_some(status)
    })
    .await
}

/// Asks for deletion and waits until it is done: its status then.
pub async fn erase(api: &Api, birder: &Birder) -> Value {
    let status_url = ask(api, birder).await;
    ended(api, &status_url).await
}

/// What `dipper erase scan` finds in a folder: the exit code, and a line for each place.
pub async fn scan<N: AsRef<str>>(folder: &Path, needles: &[N]) -> (Option<i32>, Vec<String>) {
    scan_also(folder, None, needles).await
}

/// The same in a data folder and somewhere else.
pub async fn scan_also<N: AsRef<str>>(
    folder: &Path,
    elsewhere: Option<&Path>,
    needles: &[N],
) -> (Option<i32>, Vec<String>) {
    let folder = folder.to_string_lossy().into_owned();
    let elsewhere = elsewhere.map(|path| path.to_string_lossy().into_owned());
    let mut arguments = vec!["erase", "scan", "--data-dir", &folder];
    if let Some(elsewhere) = &elsewhere {
        arguments.extend(["--also", elsewhere]);
    }
    for needle in needles {
        arguments.extend(["--needle", needle.as_ref()]);
    }
    let output = Launch::new(DIPPER, &arguments).output().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = said.lines().map(str::to_owned).collect();
    (output.status.code(), lines)
}

/// Somebody with a photo that somebody else has rated.
async fn rated_canary(api: &Api, rater: &Birder) -> Canary {
    let canary = Canary::join(api).await;
    rate(api, rater, canary.image, 4).await;
    canary
}

/// Rates somebody's photo.
pub async fn rate(api: &Api, rater: &Birder, image: Uuid, rating: u8) {
    let path = format!("/api/v1/images/{image}/rating");
    let given = api.put_as(rater, &path, &json!({"rating": rating})).await;
    given.expect(200);
}
