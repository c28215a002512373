//! The table of consumed events and their handlers.

use chassis::clock::Clock;
use chassis::consumers::{
    BoundConsumers, Consumers, Deliveries, Delivery, Failure, Handled, Received,
};
use chassis::database::Database;
use envelope::{ImageId, Rating, rate, score, user};

use crate::store::images::{self, Score};
use crate::store::limits;
use crate::store::ratings::{self, Entry};
use crate::{App, erasure};

/// What happens to each event, the mirror image of the routes.
pub(crate) fn table(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on_many(on_scores)
        .on_many(on_ratings)
        .on_many(on_withdrawn)
        .on(on_limited)
        .on(erasure::erase)
        .with_state(app, database)
}

async fn on_scores(
    app: App,
    mut deliveries: Deliveries<score::Update>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let scores = received.iter().map(|received| {
        let score = Score {
            value: received.event.score,
            reasons: received.event.reasons.clone(),
            model: received.event.model.clone(),
            at: dated(&app.clock, received),
        };
        (received.event.image.url.image(), score)
    });
    let scores: Vec<_> = scores.collect();
    images::set_scores(work, &scores).await?;
    Ok(deliveries.done())
}

async fn on_ratings(app: App, mut deliveries: Deliveries<rate::Rated>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let heard = received.iter().map(|received| {
        let rated = received.event;
        let entry = entry(&app.clock, received, Some(rated.rating));
        ((rated.image, rated.user), entry)
    });
    let heard: Vec<_> = heard.collect();
    tell(&app, ratings::hear(work, &heard).await?).await;
    Ok(deliveries.done())
}

async fn on_withdrawn(
    app: App,
    mut deliveries: Deliveries<rate::Withdrawn>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let heard = received.iter().map(|received| {
        let withdrawn = received.event;
        let entry = entry(&app.clock, received, None);
        ((withdrawn.image, withdrawn.user), entry)
    });
    let heard: Vec<_> = heard.collect();
    tell(&app, ratings::hear(work, &heard).await?).await;
    Ok(deliveries.done())
}

async fn on_limited(app: App, mut delivery: Delivery<user::Limit>) -> Result<Handled, Failure> {
    let at = delivery.time.timestamp_micros().min(app.clock.micros());
    let (limit, work) = (delivery.event, delivery.work());
    limits::set(work, &limit, at).await?;
    limits::take_scores(work, limit.user.id).await?;
    let changed = ratings::recount(work, limit.user.id).await?;
    if limits::take_places(work, limit.user.id).await? > 0 {
        // What is withdrawn must not stay in any file, not even sealed.
        work.erases();
    }
    tell(&app, changed).await;
    Ok(delivery.done())
}

/// Listeners ask for the figures a little later, when they are committed.
async fn tell(app: &App, changed: Vec<ImageId>) {
    for image in changed {
        app.live.tell(image).await;
    }
}

fn entry<T>(clock: &Clock, received: &Received<T>, rating: Option<Rating>) -> Entry {
    Entry {
        rating,
        event: received.id,
        at: dated(clock, received),
    }
}

/// When the event was, in microseconds since 1970. A producer whose clock is ahead must not win over all that follows.
fn dated<T>(clock: &Clock, received: &Received<T>) -> i64 {
    received.time.timestamp_micros().min(clock.micros())
}
