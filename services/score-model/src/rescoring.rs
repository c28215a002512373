//! What an older model has scored is scored again: slowly, so that nobody waits for it, and once for each picture and
//! version of the model.
//!
//! `TickAPI` knows which model scored what, so nothing is kept here: after a stop or a crash the rest is asked for again.
//! The event's id follows from picture and model; a picture that was scored twice, because the first event was still on
//! its way, makes the same event.

use std::time::Duration;

use chassis::bus::Bus;
use chassis::consumers::Failure;
use chassis::lifecycle::Lifecycle;
use chassis::rpc::ask;
use chassis::unit_of_work::Draft;
use clients::tick::{ScoredByOther, ScoredByOthers};
use envelope::{EventId, ImageId, ImageUrl, Outgoing, derived_id};

use crate::consumers::{score_of, update};
use crate::quality::{self, Score};
use crate::{App, NAME, Scorer};

/// How many pictures are asked for at once.
const PAGE: u16 = 100;
/// After each picture: what is new goes first, and less than a third of a core is enough for what is old.
const PAUSE: Duration = Duration::from_millis(200);
/// Another process may still score with an older model for a while.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// When `TickAPI` or the broker was away.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Scores again what is left, now and then, until the stop.
pub(crate) async fn run(app: App, bus: Bus, lifecycle: Lifecycle) -> anyhow::Result<()> {
    loop {
        let wait = match all(&app, &bus, &lifecycle).await {
            Ok(()) => LOOK_EVERY,
            Err(failure) => {
                tracing::debug!(?failure, "pictures cannot be scored again now");
                TRY_AGAIN
            }
        };
        if !lifecycle.pause(wait).await {
            return Ok(());
        }
    }
}

async fn all(app: &App, bus: &Bus, lifecycle: &Lifecycle) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let question = ScoredByOthers {
            model: quality::MODEL.to_owned(),
            after,
            limit: PAGE,
        };
        let page = ask(bus, &question).await.map_err(away)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.image);
        for scored in page {
            if !quality::is_newer_than(scored.model.as_deref()) {
                continue;
            }
            rescore(app, bus, &scored).await?;
            if !lifecycle.pause(PAUSE).await {
                return Ok(());
            }
        }
    }
}

/// Scores one picture again. One that is gone, or whose owner objects, or that cannot be read, keeps what it has.
async fn rescore(app: &App, bus: &Bus, scored: &ScoredByOther) -> Result<(), Failure> {
    let scoring = async {
        app.permissions.require(scored.owner).await?;
        let score = score_of(&app.scorer, scored.image).await?;
        app.scorer.again(scored.image, score)
    };
    match scoring.await {
        Ok(event) => bus
            .publish(event.subject, &event.message_id, event.body.into())
            .await
            .map(drop)
            .map_err(away),
        Err(Failure::Erased) => Ok(()),
        Err(Failure::Poison(why)) => {
            tracing::warn!(why, "a picture cannot be scored again");
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

impl Scorer {
    /// The event that tells of a picture's score by this model.
    fn again(&self, image: ImageId, score: Score) -> Result<Outgoing, Failure> {
        let url = ImageUrl::new(&self.public_url, image);
        Draft::new(update(url.into(), score))
            .with_id(event_id(image))
            .seal(NAME, &self.clock)
            .map_err(|error| Failure::Poison(error.to_string()))
    }
}

/// The id that the score of a picture by this model has, whenever it is scored again.
fn event_id(image: ImageId) -> EventId {
    derived_id(&format!("{NAME} {}", quality::MODEL), EventId(image.0))
}

fn away(error: impl std::fmt::Display) -> Failure {
    Failure::Dependency(error.to_string())
}
