//! The world of one test: a broker and a database of its own.

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use chassis::outbox;
use chassis::sql;
use sqlx::migrate::Migrator;
use tempfile::TempDir;
use testkit::{Postgres, eventually};
use uuid::Uuid;

use crate::broker::Broker;

static TABLES: Migrator = sqlx::migrate!("tests/migrations");
const SECRET: &str = "a secret of at least thirty-two characters";

/// A broker, and a service's database.
pub struct World {
    pub broker: Broker,
    pub database: Database,
    url: DatabaseUrl,
    _postgres: Option<Postgres>,
    _folder: TempDir,
}

impl World {
    /// A world whose database is a file.
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("db"));
        Self::start(url, None, folder).await
    }

    /// A world whose database is a server.
    pub async fn on_postgres() -> Self {
        let postgres = Postgres::start().await;
        let url = DatabaseUrl::Postgres(postgres.url());
        Self::start(url, Some(postgres), tempfile::tempdir().unwrap()).await
    }

    async fn start(url: DatabaseUrl, postgres: Option<Postgres>, folder: TempDir) -> Self {
        Self {
            broker: Broker::start().await,
            database: open(&url, "notifier").await,
            url,
            _postgres: postgres,
            _folder: folder,
        }
    }

    /// Opens the database of a service, as another process does, or the same after a restart.
    pub async fn open(&self, service: &'static str) -> Database {
        open(&self.url, service).await
    }

    /// Begins to publish what is in the outbox.
    pub fn relay(&self) {
        self.relay_of(&self.database);
    }

    /// Publishes what another service commits, until the end.
    pub fn relay_of(&self, database: &Database) {
        let lifecycle = &self.broker.lifecycle;
        let (database, bus) = (database.clone(), self.broker.bus.clone());
        lifecycle.spawn("relay", outbox::relay(database, bus, lifecycle.clone()));
    }

    /// Waits until a consumer has nothing more to do: it has all of the stream, and nothing that it
    /// parked is to be tried again.
    pub async fn is_settled(&self, stream: &str, consumer: &str) {
        const TO_TRY: &str = "SELECT count(*) FROM parked AS one WHERE status IN ('retry', 'error')
            OR (status = 'waiting' AND NOT EXISTS (SELECT 1 FROM parked AS failed
                WHERE failed.lane = one.lane AND failed.status = 'failed'))";
        self.broker.is_settled(stream, consumer).await;
        eventually("nothing waits to be tried again", || async {
            (self.count(TO_TRY).await == 0).then_some(())
        })
        .await;
    }

    /// The rows of a question that counts.
    pub async fn count(&self, question: &'static str) -> i64 {
        let mut session = self.database.read().await.unwrap();
        sql!(session, c => sqlx::query_scalar(question).fetch_one(c).await).unwrap()
    }

    /// How often an event had its effect.
    pub async fn effects_of(&self, event: Uuid) -> i64 {
        Self::effects_in(&self.database, event).await
    }

    /// How often an event had its effect in the tables of a service.
    pub async fn effects_in(database: &Database, event: Uuid) -> i64 {
        const EFFECTS: &str = "SELECT count(*) FROM effect WHERE event_id = $1";
        let mut session = database.read().await.unwrap();
        sql!(session, c => sqlx::query_scalar(EFFECTS).bind(event).fetch_one(c).await).unwrap()
    }

    /// Makes a change without an answer.
    pub async fn execute(&self, statement: &'static str) {
        let mut work = self.database.begin().await.unwrap();
        sql!(work, c => sqlx::query(statement).execute(c).await.map(drop)).unwrap();
        work.commit().await.unwrap();
    }

    /// Ends all; a task that failed fails the test.
    pub async fn end(self) {
        self.broker.end().await;
        self.database.close().await;
    }
}

async fn open(url: &DatabaseUrl, service: &'static str) -> Database {
    let fence = keys().purpose("fence");
    let opened = Database::open(url, service, &TABLES, Clock::default(), fence);
    opened.await.unwrap()
}

/// The keys of these tests.
pub fn keys() -> Keys {
    Keys::from_secret(SECRET).unwrap()
}
