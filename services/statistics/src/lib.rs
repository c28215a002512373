//! Statistics: figures over all events.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/api/v1/statistics/overview`, `/timeseries`, `/ratings/histogram`, `/species/top` |
//! | **Answers** | [`clients::statistics::Overview`] |
//! | **Calls** | nobody |
//! | **Publishes** | `gdpr.purged` |
//! | **Consumes** | `tick.new`, `tick.delete`, `rate.update`, `rate.delete`, `score.update`, `notification.email`, `user.login`, `user.register`, `gdpr.delete` |
//! | **Personal data** | ids of users and images in the rows that are counted; no names, no places |
//!
//! Figures are counted from rows when somebody asks, at most once a second, and never kept beside
//! them: an event costs one or two statements, any order of events gives the same figures, and
//! erasing a person's rows erases the person from every figure.

mod consumers;
mod erasure;
mod error;
mod handlers;
mod period;
mod recent;
mod retirement;
mod router;
mod store;

use std::ops::Deref;
use std::sync::Arc;

use std::time::Duration;

use chassis::clock::Clock;
use chassis::database::Database;
use chassis::rpc::{Answers, Refusal};
use chassis::{Chassis, Service};
use clients::statistics::{Figures, Overview};
use sqlx::migrate::Migrator;

use crate::handlers::ratings::Histogram;
use crate::handlers::species::Top;
use crate::recent::Recent;

/// The service's name.
pub const NAME: &str = "statistics";

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Log-ins name a person no longer than their stream keeps them.
const LOGIN_LIFE: Duration = Duration::from_hours(30 * 24);

/// What handlers share.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Debug)]
pub struct Parts {
    clock: Clock,
    database: Database,
    figures: Recent<Figures>,
    histogram: Recent<Histogram>,
    top: Recent<Top>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Builds the service.
pub async fn service(chassis: &Chassis) -> anyhow::Result<Service> {
    let database = chassis.database(NAME, &MIGRATIONS).await?;
    let app = App(Arc::new(Parts {
        clock: chassis.clock.clone(),
        database: database.clone(),
        figures: Recent::default(),
        histogram: Recent::default(),
        top: Recent::default(),
    }));
    let login_life = chassis
        .settings
        .retention
        .get("USER")
        .map_or(LOGIN_LIFE, |life| life.0);
    let lifecycle = &chassis.lifecycle;
    let retire = retirement::retire(database.clone(), login_life, lifecycle.clone());
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(Answers::new().on(overview).with_state(app.clone()))
        .consumers(consumers::consumers(app, database.clone()))
        .database(database)
        .task("statistics retirement", retire))
}

async fn overview(app: App, _: Overview) -> Result<Figures, Refusal> {
    handlers::overview::figures(&app)
        .await
        .map_err(|error| Refusal::internal(&error))
}
