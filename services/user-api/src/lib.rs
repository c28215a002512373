//! UserAPI: identities, preferences, subject index and erasure.
//!
//! | | |
//! |---|---|
//! | **Serves** | `GET`, `PATCH /api/v1/users/me`; `GET /api/v1/gdpr/requests/{request_id}` |
//! | **Answers** | `find-or-create`, `find-by-email`, `address`, `set-notifications`, `open-erasure` |
//! | **Calls** | AuthAPI: `verify-token`, to know who is calling |
//! | **Publishes** | `gdpr.erased` |
//! | **Consumes** | every event (subject index), among them `gdpr.delete` and `gdpr.purged` |
//! | **Personal data** | address and name, sealed with the person's own key; preferences; where in the streams the person is named; open erasure requests |
//!
//! It leads erasure. `gdpr.delete` fences the person off and destroys their identity; every service
//! that holds personal data answers with `gdpr.purged`; when all have, the eraser overwrites the
//! person's events in the streams and publishes `gdpr.erased`. The guard overwrites what names
//! an erased person afterwards. The sweeper overwrites events whose time is over.

mod account;
mod answers;
mod broker;
mod consumers;
mod dead_letters;
mod eraser;
mod erasure;
mod error;
mod guard;
mod handlers;
mod identity;
mod index;
mod mails;
mod progress;
mod retention;
mod router;
mod store;
mod vault;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use chassis::bus::Bus;
use chassis::database::Database;
use chassis::keys::{Keys, PurposeKey};
use chassis::lifecycle::Lifecycle;
use chassis::{Chassis, Service};
use clients::Authenticator;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

use crate::mails::CaughtMails;
use crate::vault::Vault;

/// The service's name.
pub const NAME: &str = "user-api";

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers and tasks share.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
    authenticator: Authenticator,
    vault: Vault,
    mails: CaughtMails,
    /// Sign receipts.
    keys: Keys,
    /// Makes the secret id of a request from its event's id, so that it need not be kept.
    request_key: PurposeKey,
    /// Makes the hash by which `gdpr.erased` names a person: the one that every fence holds, so
    /// that a restored database can be fenced again from the events.
    subject_key: PurposeKey,
    wake_eraser: Arc<Notify>,
    wake_guard: Arc<Notify>,
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
    let app = App(Arc::new(Parts {
        database: database.clone(),
        bus: chassis.bus.clone(),
        lifecycle: chassis.lifecycle.clone(),
        authenticator: Authenticator::new(chassis),
        vault: Vault::new(&chassis.keys),
        mails: CaughtMails::new(chassis),
        keys: chassis.keys.clone(),
        request_key: chassis.keys.purpose("user-api request"),
        subject_key: chassis.keys.purpose("fence"),
        wake_eraser: Arc::default(),
        wake_guard: Arc::default(),
    }));
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(answers::table(app.clone()))
        .consumers(consumers::table(app.clone()))
        .task("user-api eraser", eraser::run(app.clone()))
        .task("user-api guard", guard::run(app.clone()))
        .task(
            "user-api retention",
            retention::run(app, chassis.clock.clone()),
        )
        .database(database))
}
