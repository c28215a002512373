//! Somebody to erase, and how an instance is when it comes back from a backup.

use std::path::Path;

use scanner::{Report, Scanner};
use serde_json::{Value, json};
use testkit::{Api, Birder, Launch, Running, eventually, free_port, nats_server};
use uuid::Uuid;

use crate::erasure::erase;
use crate::setup::DIPPER;

/// Somebody with a photo that somebody else has rated.
pub struct Canary {
    pub birder: Birder,
    pub image: Uuid,
    needles: Vec<String>,
}

impl Canary {
    /// Joins, ticks and is rated; everything about it is handled when this ends.
    pub async fn join(api: &Api, rater: &Birder) -> Self {
        let name = format!("Canary{}", Uuid::new_v4().as_fields().0);
        let birder = api.join(&name).await;
        let image = api.tick(&birder).await;
        let four = json!({"rating": 4});
        let rating = format!("/api/v1/images/{image}/rating");
        api.put_as(rater, &rating, &four).await.expect(200);
        eventually("the photo has its score and its rating", || async {
            let seen = api.get(&format!("/api/v1/images/{image}")).await.json;
            (seen["score"].is_number() && seen["rating"]["count"] == 1).then_some(())
        })
        .await;
        let needles = vec![
            birder.id.to_string(),
            image.to_string(),
            birder.email.clone(),
            name,
        ];
        Self {
            birder,
            image,
            needles,
        }
    }

    /// Is erased, as far as the instance says.
    pub async fn erase(&self, api: &Api) {
        erase(api, &self.birder).await;
    }

    /// In how many places of a folder they are found.
    pub fn found_in(&self, folder: &Path) -> Vec<String> {
        let mut report = Report::default();
        let scanner = Scanner::new(&self.needles).unwrap();
        scanner.scan(folder, &mut report, &mut |_: &Report| {});
        assert!(report.unread.is_empty(), "{:?}", report.unread);
        let places = report.findings.iter();
        places
            .map(|one| format!("{}: {}", one.file.display(), one.needle))
            .collect()
    }

    /// They cannot log in, and their photo is gone.
    pub async fn expect_nobody(&self, api: &Api) {
        let (email, password) = (&self.birder.email, &self.birder.password);
        let login = json!({"email": email, "password": password});
        let answer = api.post("/api/v1/auth/login", &login).await;
        answer.expect_problem(401, None);
        let picture = api.get(&format!("/images/{}/400.jpg", self.image)).await;
        assert!([404, 410].contains(&picture.status.as_u16()));
    }
}

/// `dipper up` on a folder, with digests that a test can wait for, at a port that is known before.
fn up_at(folder: &Path, port: u16) -> Launch {
    let (folder, server) = (folder.to_string_lossy(), nats_server());
    let listen = format!("127.0.0.1:{port}");
    let server = server.to_string_lossy();
    let arguments = [
        "up",
        "--data-dir",
        &folder,
        "--listen",
        &listen,
        "--nats-server",
        &server,
    ];
    Launch::new(DIPPER, &arguments).env("DIPPER_DIGEST_INTERVAL", "1s")
}

/// Starts a restored instance, and sees it answer 503 with the reason until it is ready.
pub async fn start_restored(folder: &Path) -> Running {
    start_restored_with(folder, |launch| launch).await
}

/// The same with settings.
pub async fn start_restored_with(folder: &Path, set: impl Fn(Launch) -> Launch) -> Running {
    let port = free_port();
    let starting = tokio::spawn(set(up_at(folder, port)).start());
    let api = Api::new(&format!("http://127.0.0.1:{port}"));
    let mut refused = 0;
    while !starting.is_finished() {
        for path in ["/api/v1/feed", "/readyz"] {
            let request = api.request(reqwest::Method::GET, path);
            let Some(answer) = api.try_send(request).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if answer.status == 503 {
                let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                assert!(text.contains("restored from a backup"), "{text}");
                refused += 1;
                let alive = api.request(reqwest::Method::GET, "/healthz");
                assert_eq!(api.try_send(alive).await.unwrap().status, 200);
            } else {
                assert!(refused >= 2, "nothing is served before it is refused");
            }
        }
    }
    let running = starting.await.unwrap();
    assert!(refused >= 2, "it was refused at first");
    let ready = Api::new(&running.url).get("/readyz").await.expect(200);
    assert_eq!(ready.json["ready"], Value::Bool(true));
    running
}
