//! The database of Statistics, built anew from the streams beside the live one.

mod damage;
mod kills;
mod traffic;

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::{Api, Birder, Launch, Postgres, Running, Wire, create_admin, databases, eventually};
use uuid::Uuid;

use self::traffic::Traffic;
use crate::erasure::erase;
use crate::round::tick_a_bird;
use crate::setup::{DIPPER, up};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "she keeps the ringing book";
const REBUILDS: &str = "/api/v1/admin/projections/statistics/rebuilds";

/// A test on both databases.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                let instance = $crate::rebuild::Instance::on_sqlite().await;
                super::$test(instance).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                let instance = $crate::rebuild::Instance::on_postgres().await;
                super::$test(instance).await;
            }
        }
    )+};
}
pub(crate) use on_both;

on_both!(
    beside_live_traffic_it_ends_equal_and_nobody_sees_a_gap,
    who_is_erased_meanwhile_does_not_come_back,
    sealed_days_survive_what_their_stream_has_lost,
);

/// `dipper up`, with an admin.
pub struct Instance {
    pub api: Api,
    pub admin: Birder,
    pub running: Option<Running>,
    pub postgres: Option<Postgres>,
    pub folder: tempfile::TempDir,
}

impl Instance {
    pub async fn on_sqlite() -> Self {
        Self::start(None).await
    }

    pub async fn on_postgres() -> Self {
        Self::start(Some(Postgres::start().await)).await
    }

    async fn start(postgres: Option<Postgres>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut launch = up(folder.path());
        if let Some(postgres) = &postgres {
            launch = launch.env("DIPPER_DATABASE_URL", &postgres.url());
        }
        let running = launch.start().await;
        let api = Api::new(&running.url);
        create_admin(DIPPER, folder.path(), EMAIL, PASSWORD).await;
        let admin = api.log_in(EMAIL.to_owned(), PASSWORD.to_owned()).await;
        Self {
            api,
            admin,
            running: Some(running),
            postgres,
            folder,
        }
    }

    pub async fn wire(&self, user: &str) -> Wire {
        Wire::connect(self.folder.path(), user).await
    }

    /// kill -9, and up again.
    pub async fn kill(&mut self) {
        let launch = self.running.take().unwrap().kill().await;
        self.run(launch).await;
    }

    async fn run(&mut self, launch: Launch) {
        let running = launch.start().await;
        self.api = Api::new(&running.url);
        self.running = Some(running);
    }

    pub async fn stop(mut self) {
        assert_eq!(self.running.take().unwrap().stop().await, Some(0));
    }

    /// Begins a rebuild.
    pub async fn begin(&self, asked: Value) {
        let mut asked = asked;
        asked["reason"] = json!("To see whether it is right.");
        let begun = self.api.post_as(&self.admin, REBUILDS, &asked).await;
        begun.expect(202);
    }

    /// How it stands with the newest rebuild.
    pub async fn newest(&self) -> Value {
        let shown = self.api.get_as(&self.admin, REBUILDS).await;
        shown.expect(200).json
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Value {
        eventually("the rebuild ends", || async {
            let newest = self.newest().await;
            (!newest["ended_at"].is_null()).then_some(newest)
        })
        .await
    }

    /// Rebuilds and demands that it took over because it was equal, and that the old one went.
    pub async fn rebuild(&self) -> Value {
        self.begin(json!({})).await;
        let ended = self.ended().await;
        assert_eq!(ended["state"], "switched", "{ended:#}");
        assert_eq!(ended["is_equal"], true, "{ended:#}");
        self.has_one_generation().await;
        ended
    }

    /// There is the live generation and no other.
    pub async fn has_one_generation(&self) {
        eventually("one generation is left", || async {
            (self.generations().await == 1).then_some(())
        })
        .await;
    }

    async fn generations(&self) -> usize {
        if let Some(postgres) = &self.postgres {
            return databases::postgres_schemas_like(&postgres.url(), "statistics%").await;
        }
        let files = std::fs::read_dir(self.folder.path().join("db")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("statistics.") && name.ends_with("db"))
            .count()
    }

    async fn tables_naming(&self, id: Uuid) -> Vec<String> {
        match &self.postgres {
            Some(postgres) => databases::postgres_tables_naming(&postgres.url(), id).await,
            None => databases::sqlite_tables_naming(&self.folder.path().join("db"), id).await,
        }
    }

    /// Scores of images, published as ScoreModel does, until Statistics has them.
    pub async fn add_scores(&self, many: usize) {
        let before = self.api.figures().await["scores"].as_u64().unwrap();
        let wire = self.wire("score-model").await;
        for part in 0..many.div_ceil(250) {
            let publishing = (0..250.min(many - part * 250)).map(|_| async {
                let image = Uuid::new_v4();
                let event = event(
                    "1.0",
                    "2026-05-02T10:00:00Z",
                    &json!({"image": {"url": format!("/images/{image}")}, "score": 3.5}),
                );
                let subject = format!("score.update.v1.{image}");
                wire.publish_event(&subject, &event).await
            });
            join_all(publishing).await;
        }
        let wanted = before + u64::try_from(many).unwrap();
        eventually("the scores are counted", || async {
            (self.api.figures().await["scores"].as_u64() >= Some(wanted)).then_some(())
        })
        .await;
    }
}

/// An update event, as it is on the wire.
fn event(version: &str, time: &str, data: &Value) -> Value {
    json!({
        "id": Uuid::new_v4(), "type": "update", "version": version, "data": data,
        "metadata": {"source": "services/ScoreModel", "time": time},
    })
}

async fn beside_live_traffic_it_ends_equal_and_nobody_sees_a_gap(instance: Instance) {
    let api = &instance.api;
    api.get_as(&instance.admin, REBUILDS)
        .await
        .expect_problem(404, None);
    instance.add_scores(1500).await;
    let traffic = Traffic::begin(api).await;
    instance
        .begin(json!({"events_per_second": 2000, "switch": "if-equal"}))
        .await;
    let second = json!({"reason": "Once more."});
    let refused = api.post_as(&instance.admin, REBUILDS, &second).await;
    refused.expect_problem(409, None);
    let ended = instance.ended().await;
    assert_eq!(ended["state"], "switched", "{ended:#}");
    assert_eq!(ended["is_equal"], true, "{ended:#}");
    instance.rebuild().await;
    traffic.end().await;
    refuses_what_cannot_be(&instance).await;

    let before = without_mails(api.figures().await);
    let mut instance = instance;
    instance.kill().await;
    assert_eq!(without_mails(instance.api.figures().await), before);
    instance.rebuild().await;
    assert_eq!(without_mails(instance.api.figures().await), before);
    let path = "/api/v1/admin/audit";
    let audit = instance.api.get_as(&instance.admin, path).await.expect(200);
    assert_eq!(audit.json["items"][0]["action"], "projection.rebuild");
    assert_eq!(audit.json["items"][0]["target"], "projection/statistics");
    instance.stop().await;
}

/// How many mails are sent depends on when.
fn without_mails(mut figures: Value) -> Value {
    figures["notifications"] = Value::Null;
    figures
}

async fn refuses_what_cannot_be(instance: &Instance) {
    let (api, admin) = (&instance.api, &instance.admin);
    let of = |service: &str| format!("/api/v1/admin/projections/{service}/rebuilds");
    let body = json!({"reason": "A reason."});
    api.post_as(admin, &of("nobody"), &body)
        .await
        .expect_problem(404, None);
    api.post_as(admin, &of("tick-api"), &body)
        .await
        .expect_problem(409, None);
    let body = json!({"reason": "A reason.", "events_per_second": 0});
    api.post_as(admin, REBUILDS, &body)
        .await
        .expect_problem(422, Some("/events_per_second"));
    let body = json!({"reason": " "});
    api.post_as(admin, REBUILDS, &body)
        .await
        .expect_problem(422, Some("/reason"));
    api.delete_as(admin, REBUILDS)
        .await
        .expect_problem(404, None);
}

async fn who_is_erased_meanwhile_does_not_come_back(instance: Instance) {
    let api = &instance.api;
    let owner = api.join("Olga").await;
    let (image, _) = tick_a_bird(api, &owner).await;
    instance.add_scores(2000).await;
    instance.begin(json!({"events_per_second": 100})).await;
    eventually("the tick is read", || async {
        let newest = instance.newest().await;
        (newest["progress"]["events"].as_u64() > Some(10)).then_some(())
    })
    .await;
    erase(api, &owner).await;
    assert_eq!(instance.newest().await["state"], "reading");
    for id in [owner.id, image] {
        assert_eq!(instance.tables_naming(id).await, Vec::<String>::new());
    }
    api.delete_as(&instance.admin, REBUILDS).await.expect(204);
    assert_eq!(instance.ended().await["state"], "cancelled");
    instance.has_one_generation().await;
    instance.rebuild().await;
    for id in [owner.id, image] {
        assert_eq!(instance.tables_naming(id).await, Vec::<String>::new());
    }
    assert_eq!(api.figures().await["ticks"], 0);
    instance.stop().await;
}

async fn sealed_days_survive_what_their_stream_has_lost(mut instance: Instance) {
    let before = json!({
        "ticks": 0, "ratings": 0, "images": 0, "scores": 0, "notifications": 0, "logins": 1, "users": 1,
    });
    crate::round::expect_figures(&instance.api, &before).await;
    let user = Uuid::new_v4();
    let long_ago = chrono::Utc::now() - chrono::Duration::days(40);
    let mut login = event(
        "1.0",
        &long_ago.to_rfc3339(),
        &json!({"user": {"id": user}}),
    );
    login["type"] = json!("login");
    login["metadata"]["source"] = json!("services/AuthAPI");
    let subject = format!("user.login.v1.{user}");
    let wire = instance.wire("auth-api").await;
    wire.publish_event(&subject, &login).await;
    let with_login = |figures: &Value| {
        let more = |name: &str| json!(figures[name].as_u64().unwrap() + 1);
        let mut figures = figures.clone();
        (figures["logins"], figures["users"]) = (more("logins"), more("users"));
        figures
    };
    let expected = with_login(&before);
    crate::round::expect_figures(&instance.api, &expected).await;
    // It is sealed at the start; the stream still has the event, which is not counted again.
    instance.kill().await;
    eventually("the day is sealed", || async {
        (instance.rows("SELECT COUNT(*) FROM sealed").await == 1).then_some(())
    })
    .await;
    instance.rebuild().await;
    assert_eq!(instance.api.figures().await, expected);
    instance.wire("user-api").await.lose("USER", &subject).await;
    instance.rebuild().await;
    assert_eq!(instance.api.figures().await, expected);
    let names = instance.rows("SELECT COUNT(*) FROM fact WHERE kind = 'login'");
    assert_eq!(names.await, 1, "of the admin");
    instance.stop().await;
}
