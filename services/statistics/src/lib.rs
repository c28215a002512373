//! Statistics: figures over all events.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/api/v1/statistics/overview`, `/timeseries`, `/ratings/histogram`, `/species/top`, `/species/{id}/scores`, `/retention` |
//! | **Answers** | [`clients::statistics`]: the totals; forget an erased person's photos |
//! | **Calls** | AuthAPI: whose is this token? Staff see cells of fewer people |
//! | **Publishes** | `gdpr.purged` |
//! | **Consumes** | `tick.new`, `tick.update`, `tick.delete`, `rate.update`, `rate.delete`, `score.update`, `notification.email`, `user.login`, `user.register`, `user.limit`, `gdpr.delete` |
//! | **Personal data** | ids of users and images in the rows that are counted; no names, no places |
//!
//! Figures are counted from rows when somebody asks and something has changed, and never kept beside
//! them: an event costs one or two statements, any order of events gives the same figures, and
//! erasing a person's rows erases the person from every figure. Only log-ins and mails leave after a
//! time, as they leave their streams: of those a number a day stays, which names nobody and from
//! which nobody can be taken any more.
//!
//! Who restricted what is done with their data, or objected to statistics, is in no figure while that stands; their
//! rows stay, and count again when it is lifted. From the numbers of sealed days nobody can be taken.
//! What a cell showed before somebody left it stays for a while, so that the difference tells nothing of them.
//!
//! What happened on a day stays for ever as a file for analysis (`long_term`), which names nobody.
//!
//! All of it follows from the streams, but for what they have lost by age: so the database can be
//! built anew beside the live one ([`chassis::rebuild`]).

mod audience;
mod consumers;
mod erasure;
mod error;
mod etag;
mod handlers;
mod long_term;
mod period;
mod recent;
mod retirement;
mod router;
mod store;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::rpc::{Answers, Refusal};
use chassis::{Chassis, Service};
use clients::Authenticator;
use clients::statistics::{Figures, ForgetImages, Overview};
use sqlx::migrate::Migrator;

use crate::audience::PerAudience;
use crate::handlers::ratings::Histogram;
use crate::handlers::retention::Retention;
use crate::handlers::species::Top;
use crate::recent::Recent;

/// The service's name.
pub const NAME: &str = "statistics";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers share.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Debug)]
pub struct Parts {
    authenticator: Authenticator,
    clock: Clock,
    database: Database,
    figures: Recent<Figures>,
    histogram: Recent<Histogram>,
    top: PerAudience<Recent<Top>>,
    retention: PerAudience<Recent<Retention>>,
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
        authenticator: Authenticator::new(chassis),
        clock: chassis.clock.clone(),
        database: database.clone(),
        figures: Recent::default(),
        histogram: Recent::default(),
        top: PerAudience::default(),
        retention: PerAudience::default(),
    }));
    let retiring = retirement::retiring(&chassis.settings);
    let with = (database.clone(), chassis.bus.clone(), chassis.clock.clone());
    let retire = retirement::retire(with, retiring, chassis.lifecycle.clone());
    let with = (database.clone(), chassis.bus.clone(), chassis.clock.clone());
    let folder = long_term::folder(&chassis.settings.data_dir)?;
    let keep_facts = long_term::keep(with, folder, chassis.lifecycle.clone());
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(
            Answers::new()
                .on(overview)
                .on(forget_images)
                .with_state(app.clone()),
        )
        .consumers(consumers::consumers(app, database.clone()))
        .database(database)
        .task("statistics retirement", retire)
        .task("statistics long-term facts", keep_facts))
}

async fn forget_images(app: App, question: ForgetImages) -> Result<(), Refusal> {
    let forgetting = async {
        let mut work = app.database.begin().await?;
        erasure::forget_images(&mut work, &question.images).await?;
        work.commit().await
    };
    forgetting.await.map_err(|error| Refusal::internal(&error))
}

async fn overview(app: App, _: Overview) -> Result<Figures, Refusal> {
    handlers::overview::figures(&app)
        .await
        .map_err(|error| Refusal::internal(&error))
}
