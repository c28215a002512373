//! ScoreModel: scores a picture from its pixels.
//!
//! | | |
//! |---|---|
//! | **Serves** | nothing |
//! | **Answers** | nothing |
//! | **Calls** | UserAPI: `may-score`, whether the owner objects; TickAPI: `scored-by-others`, what an older model scored; reads pictures from our own store |
//! | **Publishes** | `score.update` |
//! | **Consumes** | `tick.new`, `tick.update` |
//! | **Personal data** | none: it keeps nothing, and needs of an event only which picture to read and whose it is; for seconds it remembers who objects |
//!
//! It has no database. A score's event id is derived from its tick's, so scoring again after a
//! crash makes the same event, which is counted once. A newer version of the model scores again what older ones scored
//! (`rescoring`), by events whose ids are derived from picture and model.

mod consumers;
mod permission;
pub mod quality;
mod recent;
mod rescoring;

use std::sync::Arc;

use chassis::clock::Clock;
use chassis::objects::Objects;
use chassis::{Chassis, Service};
use tokio::sync::Semaphore;

use crate::permission::Permissions;
use crate::recent::Recent;

/// The service's name.
pub const NAME: &str = "score-model";

/// Scoring is all CPU: more at once than this would only take it from the other services.
const SCORED_AT_ONCE: usize = 2;

/// What handlers share.
#[derive(Clone, Debug)]
pub struct App {
    permissions: Permissions,
    scorer: Scorer,
}

/// What makes scores.
#[derive(Clone, Debug)]
struct Scorer {
    clock: Clock,
    /// What addresses of pictures begin with.
    public_url: Arc<str>,
    objects: Objects,
    recent: Recent,
    places: Arc<Semaphore>,
}

/// Builds the service.
#[expect(
    clippy::unused_async,
    reason = "all services are built by functions of one shape"
)]
pub async fn service(chassis: &Chassis) -> anyhow::Result<Service> {
    let app = App {
        permissions: Permissions::new(chassis.bus.clone()),
        scorer: Scorer {
            clock: chassis.clock.clone(),
            public_url: Arc::clone(&chassis.public_url),
            objects: chassis.objects.clone(),
            recent: Recent::default(),
            places: Arc::new(Semaphore::new(SCORED_AT_ONCE)),
        },
    };
    let rescoring = rescoring::run(app.clone(), chassis.bus.clone(), chassis.lifecycle.clone());
    Ok(Service::new(NAME, chassis)
        .effects(consumers::effects(app))
        .task("score-model rescoring", rescoring))
}
