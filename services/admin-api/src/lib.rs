//! AdminAPI: what those who run the place see and do.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/admin/` (the dashboard), `/api/v1/admin/...`: overview with how long events take, streams, deliveries, events, dead letters with what they hold and decisions about them, reported photos, open erasure requests, receipts, requests for exports, rebuilds, audit log, accounts, roles, suspensions |
//! | **Answers** | - |
//! | **Calls** | Statistics (totals), AuthAPI (accounts, roles, sessions, suspensions), TickAPI (reported photos), UserAPI (erasure requests, receipts, requests for exports, whose address this is), every service that reads events (deliveries, latency, one event, dead letters, replays, rebuilds), the broker (streams, consumers, events) |
//! | **Publishes** | `admin.audit`, `gdpr.purged` |
//! | **Consumes** | `admin.audit`, `gdpr.delete`, `gdpr.erased` |
//! | **Personal data** | audit log: the id of the admin, the id of the person a change was about, a reason |

mod assets;
mod audit;
mod consumers;
mod decisions;
mod erasure;
mod error;
mod failed;
mod guard;
mod handlers {
    pub(crate) mod audit;
    pub(crate) mod dead_letters;
    pub(crate) mod decisions;
    pub(crate) mod deliveries;
    pub(crate) mod erasures;
    pub(crate) mod events;
    pub(crate) mod exports;
    pub(crate) mod pages;
    pub(crate) mod rebuilds;
    pub(crate) mod receipts;
    pub(crate) mod reports;
    pub(crate) mod roles;
    pub(crate) mod streams;
    pub(crate) mod users;
}
mod masking;
mod router;
mod search;
mod store;
mod watch;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::{Chassis, Service};
use clients::Authenticator;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

/// The service's name.
pub const NAME: &str = "admin-api";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers work with.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    database: Database,
    bus: Bus,
    clock: Clock,
    authenticator: Authenticator,
    decided: Notify,
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
        clock: chassis.clock.clone(),
        authenticator: Authenticator::new(chassis),
        decided: Notify::new(),
    }));
    Ok(Service::new(NAME, chassis)
        .router(router::routes(app.clone()))
        .task(
            "decisions",
            decisions::carry_out(app.clone(), chassis.lifecycle.clone()),
        )
        .consumers(consumers::consumers(app, database.clone()))
        .database(database))
}
