//! TickAPI: images, ticks, ratings, feed, species and lists of the birders.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/api/v1/images` (with ratings, reports and appeals), `/api/v1/ticks`, `/api/v1/feed`, `/api/v1/species`, `/api/v1/users/me/lists`, `/api/v1/gdpr/delete`, `/api/v1/gdpr/code`, the pictures at `/images`, the birders' page at `/`, new ratings as they come at `/api/v1/feed/live` |
//! | **Answers** | `begin-erasure`; `any-known`, `photo-part`, `ratings-given`, for an import; `scored-by-others`, for a new model; `list-cases`, `decide-case`, for moderators |
//! | **Calls** | AuthAPI: verify a token, re-authenticate, mail a code, end a user's sessions; UserAPI: open an erasure request |
//! | **Publishes** | `tick.new`, `tick.update`, `tick.delete`, `rate.update` (version 2), `rate.delete`, `gdpr.delete`, `gdpr.purged` |
//! | **Consumes** | `score.update` (feed and image view), `rate.update` and `rate.delete` (other producers' ratings), `user.limit` (whose photos are hidden or have no scores), `gdpr.delete` |
//! | **Personal data** | images and their files, ticks (precise place and note sealed), ratings, ids of deleted ticks, restrictions and objections to scores, reports about photos and what came of them (notes sealed); all of it goes at erasure, see `erasure` |

mod answers;
mod assets;
mod consumers;
mod erasure;
mod error;
mod handlers;
mod import;
mod live;
mod moderation;
mod picture;
mod place;
mod private;
mod ranking;
mod router;
mod species;
mod store;
mod uploads;

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use axum::extract::FromRef;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::group_commit::GroupCommit;
use chassis::objects::Objects;
use chassis::settings::AuthMode;
use chassis::{Chassis, Service};
use clients::Authenticator;
use sqlx::migrate::Migrator;
use tokio::sync::Semaphore;

use crate::live::Live;
use crate::private::Private;
use crate::species::CHECKLIST;
use crate::store::ratings::RatingChange;
use crate::store::ticks::NewTick;

/// The service's name.
pub const NAME: &str = "tick-api";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What every handler may use; cheap to clone.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    authenticator: Authenticator,
    auth_mode: AuthMode,
    bus: Bus,
    clock: Clock,
    database: Database,
    live: Live,
    objects: Objects,
    public_url: Arc<str>,
    private: Private,
    ticks: GroupCommit<NewTick>,
    ratings: GroupCommit<RatingChange>,
    /// Megabytes for pictures being decoded.
    decoding: Arc<Semaphore>,
    /// How many bytes the pictures of one person may take.
    storage_quota: u64,
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
    let species = LazyLock::force(&CHECKLIST).len();
    tracing::debug!(species, "the checklist is loaded");
    let database = chassis.database(NAME, &MIGRATIONS).await?;
    let live = Live::new(chassis.bus.clone(), &chassis.lifecycle);
    let app = App(Arc::new(Parts {
        authenticator: Authenticator::new(chassis),
        auth_mode: chassis.settings.auth_mode,
        bus: chassis.bus.clone(),
        clock: chassis.clock.clone(),
        database: database.clone(),
        live: live.clone(),
        objects: chassis.objects.clone(),
        public_url: Arc::clone(&chassis.public_url),
        private: Private::new(&chassis.keys),
        ticks: GroupCommit::start(database.clone(), &chassis.lifecycle),
        ratings: GroupCommit::start(database.clone(), &chassis.lifecycle),
        decoding: Arc::new(uploads::decoding()),
        storage_quota: chassis.settings.storage_quota,
    }));
    let (objects, lifecycle) = (chassis.objects.clone(), chassis.lifecycle.clone());
    let clear = uploads::clear_abandoned(database.clone(), objects, lifecycle);
    let (private, sealing) = (app.private.clone(), app.private.clone());
    let clock = chassis.clock.clone();
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(answers::table(app.clone()))
        .consumers(consumers::table(app, database.clone()))
        .task("tick-api abandoned uploads", clear)
        .task("tick-api live ratings", live.pass_on(database.clone()))
        .opens(move |sealed| private.open_column(sealed))
        .completes(move |table, row| {
            import::complete(&sealing, clock.now().date_naive(), table, row)
        })
        .database(database))
}
