//! What a service is built from, and how it is run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sqlx::migrate::Migrator;
use utoipa_axum::router::OpenApiRouter;

use crate::access::{self, Completer, Opener, Row, Sealed};
use crate::audit::{self, Pace};
use crate::bus::Bus;
use crate::bus::old_readers::{self, OldReaders};
use crate::clock::Clock;
use crate::consumers::{BoundConsumers, BoundEffects};
use crate::database::{Database, DatabaseError, DatabaseUrl};
use crate::deliveries;
use crate::erasure;
use crate::keys::Keys;
use crate::leftovers;
use crate::lifecycle::Lifecycle;
use crate::objects::Objects;
use crate::outbox;
use crate::rebuild;
use crate::resealing;
use crate::retention::tables;
use crate::returned;
use crate::rpc::BoundAnswers;
use crate::settings::Settings;
use crate::sql;
use crate::unit_of_work::source;

/// What a service is given to build itself from; cheap to clone.
#[derive(Clone, Debug)]
pub struct Chassis {
    /// The settings of the process.
    pub settings: Arc<Settings>,
    /// What links and picture URLs begin with, without a slash at the end.
    pub public_url: Arc<str>,
    /// Time and ids.
    pub clock: Clock,
    /// Tasks and the stop.
    pub lifecycle: Lifecycle,
    /// The service's own connection to the broker.
    pub bus: Bus,
    /// The deployment's keys.
    pub keys: Keys,
    /// The picture store.
    pub objects: Objects,
}

impl Chassis {
    /// Opens the service's own database.
    pub async fn database(
        &self,
        service: &'static str,
        migrations: &Migrator,
    ) -> anyhow::Result<Database> {
        let url: DatabaseUrl = self.settings.database()?;
        let fence = self.keys.purpose("fence");
        let opened = Database::open(&url, service, migrations, self.clock.clone(), fence).await?;
        let declared = self.settings.old_readers.split(',');
        let declared = declared.map(|name| name.trim().to_owned());
        Ok(opened.with_old_readers(OldReaders::declared(declared)))
    }
}

type Task = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// A service, ready to run: what it serves, answers, consumes and does by itself.
pub struct Service {
    name: &'static str,
    bus: Bus,
    keys: Keys,
    router: OpenApiRouter,
    answers: BoundAnswers,
    consumers: Option<BoundConsumers>,
    effects: Option<BoundEffects>,
    database: Option<Database>,
    opener: Opener,
    completer: Completer,
    tasks: Vec<(&'static str, Task)>,
}

/// What the process asks of a running service.
#[derive(Clone, Debug)]
pub struct Health {
    name: &'static str,
    bus: Bus,
    database: Option<Database>,
}

impl Service {
    /// An empty service.
    pub fn new(name: &'static str, chassis: &Chassis) -> Self {
        Self {
            name,
            bus: chassis.bus.clone(),
            keys: chassis.keys.clone(),
            router: OpenApiRouter::new(),
            answers: BoundAnswers::default(),
            consumers: None,
            effects: None,
            database: None,
            opener: access::nothing_sealed(),
            completer: access::nothing_lacks(),
            tasks: Vec::new(),
        }
    }

    /// Its routes.
    pub fn router(self, router: OpenApiRouter) -> Self {
        Self { router, ..self }
    }

    /// The questions it answers.
    pub fn answers(self, answers: BoundAnswers) -> Self {
        Self { answers, ..self }
    }

    /// The events it consumes.
    pub fn consumers(self, consumers: BoundConsumers) -> Self {
        Self {
            consumers: Some(consumers),
            ..self
        }
    }

    /// The events it answers with events.
    pub fn effects(self, effects: BoundEffects) -> Self {
        Self {
            effects: Some(effects),
            ..self
        }
    }

    /// Its database, whose outbox is relayed.
    pub fn database(self, database: Database) -> Self {
        Self {
            database: Some(database),
            ..self
        }
    }

    /// How it opens what it has sealed in its database, for an export of the owner's data.
    pub fn opens(
        self,
        opener: impl Fn(&Sealed<'_>) -> Result<serde_json::Value, DatabaseError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            opener: Arc::new(opener),
            ..self
        }
    }

    /// How it completes a row that comes from another instance's export: by the table's name.
    pub fn completes(
        self,
        completer: impl Fn(&'static str, &mut Row) -> Result<(), DatabaseError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            completer: Arc::new(completer),
            ..self
        }
    }

    /// Something it does by itself until the stop.
    pub fn task(
        mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> Self {
        self.tasks.push((name, Box::pin(task)));
        self
    }

    /// Takes the routes out, for the process's one listener.
    pub fn take_router(&mut self) -> OpenApiRouter {
        std::mem::take(&mut self.router)
    }

    /// What to ask for its health.
    pub fn health(&self) -> Health {
        Health {
            name: self.name,
            bus: self.bus.clone(),
            database: self.database.clone(),
        }
    }

    /// Begins to answer questions. Done for all services of a process before any consumes, since
    /// handlers ask questions.
    pub async fn start_answering(&mut self, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        let mut answers = std::mem::take(&mut self.answers);
        if let Some(database) = &self.database {
            answers = answers.and(deliveries::answers(database, &self.bus));
            answers = answers.and(audit::answers(database));
            answers = answers.and(tables::answers(database));
            answers = answers.and(returned::answers(database));
            answers = answers.and(leftovers::answers(database));
            answers = answers.and(resealing::answers(database, self.keys.clone()));
            let (opener, completer) = (Arc::clone(&self.opener), Arc::clone(&self.completer));
            answers = answers.and(access::answers(database, opener, completer));
            if envelope::reader(self.name).is_some_and(|reader| reader.is_derived) {
                answers = answers.and(rebuild::answers(database));
            }
        } else if let Some(effects) = &self.effects {
            let own = deliveries::stateless_answers(self.name, &self.bus, effects.clone());
            answers = answers.and(own);
            let audited = audit::stateless_answers(self.name, &self.bus, effects.clone());
            answers = answers.and(audited);
        }
        answers.serve(&self.bus, &self.keys, lifecycle).await
    }

    /// Begins to relay, to consume and to do its tasks.
    pub async fn start(self, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        if let Some(database) = self.database {
            let relay = outbox::relay(database.clone(), self.bus.clone(), lifecycle.clone());
            lifecycle.spawn(format!("{} relay", self.name), relay);
            let auditing = audit::run(
                database.clone(),
                self.bus.clone(),
                lifecycle.clone(),
                Pace::default(),
            );
            lifecycle.spawn(format!("{} audit", self.name), auditing);
            let readers = database.old_readers.clone();
            let producer = source(self.name);
            let watching =
                old_readers::watch(self.bus.clone(), producer, readers, lifecycle.clone());
            lifecycle.spawn(format!("{} old readers", self.name), watching);
            let gauges = deliveries::gauges::keep(database.clone(), lifecycle.clone());
            lifecycle.spawn(format!("{} gauges", self.name), gauges);
            let sweeper = tables::keep_swept(database.clone(), self.bus.clone(), lifecycle.clone());
            lifecycle.spawn(format!("{} sweeper", self.name), sweeper);
            let scrubber = erasure::keep_scrubbed(database, lifecycle.clone());
            lifecycle.spawn(format!("{} scrubber", self.name), scrubber);
        }
        if let Some(consumers) = self.consumers {
            Box::pin(consumers.run(&self.bus, lifecycle)).await?;
        }
        if let Some(effects) = self.effects {
            Box::pin(effects.run(self.name, &self.bus, lifecycle)).await?;
        }
        for (name, task) in self.tasks {
            lifecycle.spawn(name, task);
        }
        Ok(())
    }
}

impl Health {
    /// Reasons why the service cannot work now; none when it can.
    pub async fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if !self.bus.is_connected() {
            complaints.push(format!("{}: not connected to the broker", self.name));
        }
        if let Some(database) = &self.database
            && !answers(database).await
        {
            complaints.push(format!("{}: the database does not answer", self.name));
        }
        complaints
    }

    /// Closes its connections, after its tasks have ended.
    pub async fn close(&self) {
        if let Some(database) = &self.database {
            database.close().await;
        }
        self.bus.close().await;
    }
}

async fn answers(database: &Database) -> bool {
    let Ok(mut session) = database.read().await else {
        return false;
    };
    sql!(session, c => sqlx::query("SELECT 1").execute(c).await.map(drop)).is_ok()
}
