//! Pictures that nobody means well with, from the upload to every store.

mod collection;
mod files;

use std::time::Duration;

use futures::{StreamExt as _, stream};
use reqwest::Method;
use testkit::{Answer, Api, Birder, eventually_within, most_memory};

use self::collection::{CANARY, Fate, Upload};
use crate::erasure::scan;
use crate::setup::up;

/// On a busy machine those before it take their time.
const PATIENCE: Duration = Duration::from_mins(5);
/// As a phone sends them: some at a time.
const AT_ONCE: usize = 4;
/// What the whole process may take, in kilobytes. Built for tests it takes a hundred megabytes before the first picture, and some 40
/// when it is built as it is delivered.
const MOST_MEMORY: u64 = 300 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_pictures_get_their_answer_little_memory_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let running = up(folder.path()).log_to(&log).start().await;
    let api = Api::new(&running.url);
    let birder = api.join("Hedda").await;
    let uploads = collection::all();
    assert!(uploads.len() >= 40, "{}", uploads.len());
    let small = uploads
        .iter()
        .filter(|upload| upload.bytes.len() < 1_000_000);
    let told = small.filter(|upload| holds(&upload.bytes));
    assert!(told.count() >= 20, "there is something to find");

    let answers = stream::iter(&uploads).map(|upload| send(&api, &birder, upload));
    let answers: Vec<Answer> = answers.buffered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    for (upload, answer) in uploads.iter().zip(&answers) {
        wrong.extend(complaint(upload, answer));
        assert!(!holds(&answer.bytes), "{}", upload.name);
        if answer.status == 201 {
            tells_nothing(&api, answer).await;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let memory = most_memory(running.pid());
    assert!(memory < MOST_MEMORY, "{memory} kB");
    assert_eq!(running.stop().await, Some(0));
    let found = scan(folder.path(), &[CANARY]).await;
    assert_eq!(found, (Some(0), Vec::new()), "in any form");
}

async fn send(api: &Api, birder: &Birder, upload: &Upload) -> Answer {
    eventually_within(PATIENCE, "a picture is looked at", || async {
        let request = api
            .request(Method::POST, "/api/v1/images")
            .bearer_auth(&birder.token)
            .header("content-type", upload.content_type)
            .body(upload.bytes.clone());
        let answer = api.try_send(request).await.expect("an answer");
        // There is no memory for it beside the others now.
        (answer.status != 503).then_some(answer)
    })
    .await
}

/// What is wrong with an answer.
fn complaint(upload: &Upload, answer: &Answer) -> Option<String> {
    let json = &answer.json;
    let is_right = match upload.fate {
        Fate::Kept(width, height) => {
            answer.status == 201 && json["width"] == width && json["height"] == height
        }
        Fate::Refused(status, kind, words) => {
            let detail = json["detail"].as_str().unwrap_or_default();
            answer.status.as_u16() == status
                && json["type"] == format!("/problems/{kind}")
                && detail.contains(words)
        }
    };
    let Upload { name, fate, .. } = upload;
    (!is_right).then(|| format!("{name}: {} {json}, not {fate:?}", answer.status))
}

/// What is served of a picture holds nothing of what its file told.
async fn tells_nothing(api: &Api, uploaded: &Answer) {
    let id = uploaded.json["id"].as_str().unwrap();
    for size in [2048, 1024, 400] {
        let picture = api
            .get(&format!("/images/{id}/{size}.jpg"))
            .await
            .expect(200);
        assert_eq!(picture.headers["content-type"], "image/jpeg");
        assert_eq!(picture.headers["x-content-type-options"], "nosniff");
        assert!(!holds(&picture.bytes) && !picture.bytes.windows(7).any(|part| part == b"<script"));
    }
}

fn holds(bytes: &[u8]) -> bool {
    let canary = CANARY.as_bytes();
    bytes.windows(canary.len()).any(|part| part == canary)
}
