//! The events that are consumed.

use chassis::consumers::{BoundConsumers, Consumers, Deliveries, Delivery, Failure, Handled};
use chassis::database::Database;
use chrono::{DateTime, TimeDelta, Utc};
use envelope::{UserId, rate, tick};

use crate::letter::Told;
use crate::store::ratings::NewRating;
use crate::{App, erasure, store};

/// A rating of version 1 waits so long for the tick that says whose image it is.
const WAIT_FOR_TICK: TimeDelta = TimeDelta::seconds(60);

pub(crate) fn consumers(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on_many(on_ticks)
        .on(on_rating)
        .on(on_withdrawn)
        .on(erasure::on_delete)
        .with_state(app, database)
}

async fn on_ticks(_: App, mut deliveries: Deliveries<tick::New>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let ticked = received.iter().map(|received| {
        let tick = &received.event;
        (tick.image.url.image(), tick.user.id)
    });
    store::images::insert(work, ticked).await?;
    Ok(deliveries.done())
}

async fn on_rating(app: App, mut delivery: Delivery<rate::Rated>) -> Result<Handled, Failure> {
    let now = app.clock.now();
    let Some(owner) = owner(&mut delivery, now).await? else {
        return Ok(delivery.done());
    };
    let (rated, event) = (delivery.event, delivery.id);
    if owner == rated.user {
        return Ok(delivery.done());
    }
    let rating = NewRating {
        owner,
        rater: rated.user,
        told: Told {
            event,
            image: rated.image,
            rating: rated.rating.into(),
            trace: delivery.trace(),
        },
    };
    store::ratings::queue(delivery.work(), rating, now.timestamp_micros()).await?;
    app.queued.notify_one();
    Ok(delivery.done())
}

async fn on_withdrawn(_: App, mut delivery: Delivery<rate::Withdrawn>) -> Result<Handled, Failure> {
    let rate::Withdrawn { user, image } = delivery.event;
    store::ratings::forget_one(delivery.work(), user, image).await?;
    Ok(delivery.done())
}

/// Whose image was rated. Ticks say it; whoever rates may only say it as long as nobody has ticked.
/// Version 1 does not say it, and the tick may still be on its way. An image that nobody ticked has
/// nobody to tell.
async fn owner(
    delivery: &mut Delivery<rate::Rated>,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, Failure> {
    let (image, named) = (delivery.event.image, delivery.event.owner);
    match store::images::owner(delivery.work(), image).await? {
        // The event does not name the owner, so nobody has asked the fence for them yet.
        Some(owner) if delivery.work().is_erased(owner.0).await? => Err(Failure::Erased),
        Some(owner) => Ok(Some(owner)),
        None if named.is_some() => Ok(named),
        None if (now - delivery.time).abs() < WAIT_FOR_TICK => {
            let why = "nobody has ticked this image yet";
            Err(Failure::Transient(why.to_owned()))
        }
        None => Ok(None),
    }
}
