//! UserAPI: identities, preferences, subject index, erasure and export.
//!
//! | | |
//! |---|---|
//! | **Serves** | `GET`, `PATCH /api/v1/users/me`; `GET`, `PUT /api/v1/users/me/limits`; `GET`, `POST /api/v1/users/me/consents`; `GET /api/v1/consents/texts`; `POST /api/v1/gdpr/export`; `GET /api/v1/gdpr/requests/{request_id}`, `GET /api/v1/gdpr/requests/{request_id}/download` |
//! | **Answers** | `find-or-create`, `find-by-email`, `address`, `new-address`, `confirm-address`, `set-notifications`, `may-score`, `open-erasure`, `list-erasures`, `extend-erasure`, `retry-erasure`, `list-exports`, `list-receipts`, `show-receipt`; `begin-import`, `return-events`, `return-identity`, `end-import` |
//! | **Calls** | AuthAPI: `verify-token`, to know who is calling; TickAPI: `begin-erasure`, when all is ready; Statistics: `forget-images`; Notifier: `queue-account-mail`, when an address changes; every service with a database: `held`, for an export, and after a restore `refence` and `returned` |
//! | **Publishes** | `gdpr.erased`; `user.limit`; the events of somebody who comes from another instance, as they were |
//! | **Consumes** | every event (subject index), among them `gdpr.delete` and `gdpr.purged` |
//! | **Personal data** | address and name, sealed with the person's own key, and so an address that waits to be confirmed; preferences, restrictions, objections and consents; where in the streams the person is named; which ticks were corrected; open erasure requests, with what their scan looks for, sealed; archives of exports, each sealed with a key of its own |
//!
//! It leads erasure. `gdpr.delete` fences the person off and destroys their identity; every service
//! that holds personal data answers with `gdpr.purged`; when all have, the eraser overwrites the
//! person's events in the streams. The scanner, which found the person in every store before, looks
//! until nothing is found, and publishes `gdpr.erased`. The guard overwrites what names
//! an erased person afterwards, and what said an older state of a tick that was corrected goes the same way. The sweeper overwrites events whose time is over. The exporter asks all
//! services what they hold about a person, and writes it into an archive, which is gone after a week.

mod account;
mod address;
mod answers;
mod broker;
mod consents;
mod consumers;
mod corrections;
mod dead_letters;
mod deadlines;
mod eraser;
mod erasure;
mod error;
mod export;
mod exporter;
mod guard;
mod handlers;
mod identity;
mod import;
mod index;
mod limits;
mod mails;
mod needles;
mod progress;
mod receipts;
mod replay;
mod replicas;
mod retention;
mod router;
mod scan;
mod store;
mod texts;
mod tombstones;
mod vault;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::keys::{Keys, PurposeKey, SealingKey};
use chassis::lifecycle::Lifecycle;
use chassis::objects::Objects;
use chassis::{Chassis, Service};
use clients::Authenticator;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

use crate::export::folder::Folder;
use crate::mails::CaughtMails;
use crate::needles::NeedleCase;
use crate::replicas::Replicas;
use crate::scan::stores::Stores;
use crate::tombstones::Tombstones;
use crate::vault::Vault;

/// The service's name.
pub const NAME: &str = "user-api";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers and tasks share.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    database: Database,
    bus: Bus,
    clock: Clock,
    lifecycle: Lifecycle,
    authenticator: Authenticator,
    vault: Vault,
    needles: NeedleCase,
    stores: Stores,
    mails: CaughtMails,
    /// Sign receipts.
    keys: Keys,
    /// Makes the secret id of a request from its event's id, so that it need not be kept.
    request_key: PurposeKey,
    /// Makes the hash by which `gdpr.erased` names a person: the one that every fence holds, so
    /// that a restored database can be fenced again from the events.
    subject_key: PurposeKey,
    /// Seals the archives' own keys.
    export_key: SealingKey,
    export_life: Duration,
    exports: Folder,
    replicas: Replicas,
    objects: Objects,
    tombstones: Tombstones,
    wake_corrector: Arc<Notify>,
    wake_eraser: Arc<Notify>,
    wake_exporter: Arc<Notify>,
    wake_guard: Arc<Notify>,
    wake_scanner: Arc<Notify>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

/// Builds the service.
pub async fn service(chassis: &Chassis) -> anyhow::Result<Service> {
    let database = chassis.database(NAME, &MIGRATIONS).await?;
    let tombstones = Tombstones::new(chassis);
    let replay = replay::prepare(chassis, &database, &tombstones).await?;
    let app = App(Arc::new(Parts {
        database: database.clone(),
        bus: chassis.bus.clone(),
        clock: chassis.clock.clone(),
        lifecycle: chassis.lifecycle.clone(),
        authenticator: Authenticator::new(chassis),
        vault: Vault::new(&chassis.keys),
        needles: NeedleCase::new(&chassis.keys),
        stores: Stores::new(chassis.settings.scanned_places()),
        mails: CaughtMails::new(chassis),
        keys: chassis.keys.clone(),
        request_key: chassis.keys.purpose("user-api request"),
        subject_key: chassis.keys.purpose("fence"),
        export_key: chassis.keys.sealing("user-api export"),
        export_life: chassis.settings.export_life.0,
        exports: Folder::open(&chassis.settings.data_dir)?,
        replicas: Replicas::default(),
        objects: chassis.objects.clone(),
        tombstones,
        wake_corrector: Arc::default(),
        wake_eraser: Arc::default(),
        wake_exporter: Arc::default(),
        wake_guard: Arc::default(),
        wake_scanner: Arc::default(),
    }));
    let vault = app.vault.clone();
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(answers::table(app.clone()))
        .consumers(consumers::table(app.clone()))
        .task("user-api eraser", eraser::run(app.clone()))
        .task("user-api corrections", corrections::run(app.clone()))
        .task("user-api deadlines", deadlines::run(app.clone()))
        .task("user-api exporter", exporter::run(app.clone()))
        .task("user-api guard", guard::run(app.clone()))
        .task("user-api scanner", scan::run(app.clone()))
        .task("user-api retention", retention::run(app.clone()))
        .task("user-api replay", replay::run(app.clone(), replay))
        .task("user-api tombstones", tombstones::run(app))
        .opens(move |sealed| vault.open(sealed))
        .database(database))
}
