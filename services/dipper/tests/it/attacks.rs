//! Attacks from outside, each with the answer that it must get, against one instance. What goes to the broker is in a suite of its
//! own, hostile pictures are in `hostile.rs`, and markup in a browser is in `tests/browser`.
#![expect(
    clippy::print_stdout,
    reason = "whoever runs it reads what was tried, and the closing line"
)]

mod accounts;
mod bodies;
mod browsers;
mod fields;
mod guessing;
mod load;
mod logs;
mod one_time;
mod routes;
mod wire;

use std::fmt::Debug;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Api, Birder, Running};
use uuid::Uuid;

use crate::moderation::moderator;
use crate::round::{await_score, tick_a_bird};
use crate::setup::{admin_of, up};

/// The one app on another origin that may use the API.
const APP: &str = "https://app.example.org";
/// What networks the attackers are in: documentation addresses, as the proxy tells them.
const ATTACKER: &str = "203.0.113.66";
const ELSEWHERE: &str = "198.51.100.7";

/// An instance, whoever is attacked on it, and whoever attacks.
struct Stage {
    running: Running,
    api: Api,
    folder: PathBuf,
    log: PathBuf,
    admin: Birder,
    moderator: Birder,
    /// Who is attacked.
    vera: Birder,
    image: Uuid,
    tick: Uuid,
    /// Who attacks.
    mallory: Birder,
}

/// What came of the attacks.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    /// Notes whether an attack came to what it must come to.
    fn expect<T: PartialEq + Debug>(&mut self, attack: &str, expected: &T, found: &T) {
        if expected == found {
            self.passed += 1;
            println!("ok      {attack}");
        } else {
            let line = format!("{attack}: expected {expected:?}, found {found:?}");
            println!("FAILED  {line}");
            self.failed.push(line);
        }
    }

    /// The same of a status, with the answer for whoever looks for the reason.
    fn status(&mut self, attack: &str, expected: u16, answer: &Answer) {
        let found = answer.status.as_u16();
        if found != expected {
            println!("        {}", String::from_utf8_lossy(&answer.bytes));
        }
        self.expect(attack, &expected, &found);
    }

    fn close(self) {
        println!("{} passed, {} failed", self.passed, self.failed.len());
        assert_eq!(self.failed, Vec::<String>::new());
    }
}

impl Stage {
    async fn set(folder: PathBuf) -> Self {
        let log = folder.join("log");
        let running = up(&folder)
            .env("DIPPER_LOG", "trace")
            .env("DIPPER_LOG_FORMAT", "json")
            .env("DIPPER_TRUSTED_PROXIES", "127.0.0.1")
            .env("DIPPER_CORS_ORIGINS", APP)
            .log_to(&log)
            .start()
            .await;
        let api = Api::new(&running.url);
        let admin = admin_of(&api, &folder).await;
        let moderator = moderator(&api, &admin).await;
        let (vera, mallory) = (api.join("Vera").await, api.join("Mallory").await);
        let (image, tick) = tick_a_bird(&api, &vera).await;
        // Looking at a picture takes memory, which is not the attackers'.
        await_score(&api, image).await;
        Self {
            running,
            api,
            folder,
            log,
            admin,
            moderator,
            vera,
            image,
            tick,
            mallory,
        }
    }

    /// `PUT` of a rating of Vera's picture as it stands here.
    fn rating(&self) -> String {
        format!("/api/v1/images/{}/rating", self.image)
    }

    /// A body as it stands here, from somebody.
    async fn raw_json(
        &self,
        method: Method,
        path: &str,
        by: Option<&Birder>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .api
            .request(method, path)
            .header("content-type", "application/json")
            .body(body);
        if let Some(by) = by {
            request = request.bearer_auth(&by.token);
        }
        self.api.try_send(request).await.expect("an answer")
    }

    /// Logs in as the proxy forwards it from an address.
    async fn log_in_from(&self, forwarded: &str, email: &str, password: &str) -> Answer {
        let request = self
            .api
            .request(Method::POST, "/api/v1/auth/login")
            .header("x-forwarded-for", forwarded)
            .json(&json!({"email": email, "password": password}));
        self.api.try_send(request).await.expect("an answer")
    }

    /// What stands of Vera, and must stand as it is in the end.
    async fn standing(&self) -> [Value; 3] {
        let api = &self.api;
        let tick = format!("/api/v1/ticks/{}", self.tick);
        [
            api.get_as(&self.vera, &tick).await.json,
            api.get_as(&self.vera, "/api/v1/users/me").await.json,
            api.get(&format!("/api/v1/images/{}", self.image))
                .await
                .json["rating"]
                .clone(),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_where_they_do_not_belong() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set(folder.path().to_owned()).await;
    let mut report = Report::default();
    let before = stage.standing().await;

    let drips = wire::start_dripping(&stage, &mut report).await;
    accounts::attack(&stage, &mut report).await;
    one_time::attack(&stage, &mut report).await;
    fields::attack(&stage, &mut report).await;
    bodies::attack(&stage, &mut report).await;
    load::attack(&stage, &mut report).await;
    browsers::attack(&stage, &mut report).await;
    routes::attack(&stage, &mut report).await;
    wire::attack(&stage, &mut report).await;
    guessing::attack(&stage, &mut report).await;
    wire::end_of_dripping(drips, &mut report).await;

    let after = stage.standing().await;
    report.expect("nothing of hers was changed", &before, &after);
    logs::search(&stage, &mut report);
    assert_eq!(stage.running.stop().await, Some(0));
    report.close();
}
