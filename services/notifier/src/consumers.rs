//! The events that are consumed.

use std::collections::{HashMap, HashSet};

use chassis::consumers::{
    BoundConsumers, Consumers, Deliveries, Delivery, Failure, Handled, Received,
};
use chassis::database::{Database, DatabaseError};
use chassis::unit_of_work::Work;
use chrono::{DateTime, TimeDelta, Utc};
use envelope::{ImageId, ImageRef, UserId, UserRef, rate, tick};
use uuid::Uuid;

use crate::letter::Told;
use crate::store::ratings::NewRating;
use crate::{App, erasure, store};

/// A rating of version 1 waits so long for the tick that says whose image it is.
const WAIT_FOR_TICK: TimeDelta = TimeDelta::seconds(60);

pub(crate) fn consumers(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on_many(on_ticks)
        .on_many(on_corrected)
        .on_many(on_ratings)
        .on(on_withdrawn)
        .on(erasure::on_delete)
        .with_state(app, database)
}

async fn on_ticks(_: App, mut deliveries: Deliveries<tick::New>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let ticked = received
        .iter()
        .map(|one| (&one.event.image, &one.event.user));
    learn_owners(work, ticked).await?;
    Ok(deliveries.done())
}

/// The event that said first whose image it is may be overwritten before it was read.
async fn on_corrected(
    _: App,
    mut deliveries: Deliveries<tick::Update>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let ticked = received
        .iter()
        .map(|one| (&one.event.image, &one.event.user));
    learn_owners(work, ticked).await?;
    Ok(deliveries.done())
}

async fn learn_owners<'e>(
    work: &mut Work,
    ticked: impl Iterator<Item = (&'e ImageRef, &'e UserRef)>,
) -> Result<(), DatabaseError> {
    let owned = ticked.map(|(image, user)| (image.url.image(), user.id));
    store::images::insert(work, owned).await
}

async fn on_ratings(app: App, mut deliveries: Deliveries<rate::Rated>) -> Result<Handled, Failure> {
    let now = app.clock.now();
    let (received, work) = deliveries.parts();
    let images = received.iter().map(|received| received.event.image);
    let owners = Owners::of(work, images).await?;
    for received in received {
        let rated = received.event;
        let Some(owner) = owners.of_rating(received, now)? else {
            continue;
        };
        if owner == rated.user {
            continue;
        }
        let rating = NewRating {
            owner,
            rater: rated.user,
            told: Told {
                event: received.id,
                image: rated.image,
                rating: rated.rating.into(),
                trace: received.trace(),
            },
        };
        store::ratings::queue(work, rating, now.timestamp_micros()).await?;
    }
    app.queued.notify_one();
    Ok(deliveries.done())
}

async fn on_withdrawn(_: App, mut delivery: Delivery<rate::Withdrawn>) -> Result<Handled, Failure> {
    let rate::Withdrawn { user, image } = delivery.event;
    store::ratings::forget_one(delivery.work(), user, image).await?;
    Ok(delivery.done())
}

/// Whose images were rated. Ticks say it; whoever rates may only say it as long as nobody has
/// ticked.
struct Owners {
    ticked: HashMap<ImageId, UserId>,
    erased: HashSet<Uuid>,
}

impl Owners {
    /// What is known of the images of a batch, by one query.
    async fn of(work: &mut Work, images: impl Iterator<Item = ImageId>) -> Result<Self, Failure> {
        let ticked = store::images::owners(work, images).await?;
        // Version 1 does not name the owner, so nobody has asked the fence for them yet.
        let people: Vec<Uuid> = ticked.values().map(|owner| owner.0).collect();
        let erased = work.erased_among(&people).await?;
        Ok(Self { ticked, erased })
    }

    /// Version 1 does not say whose image it is, and the tick may still be on its way. An image
    /// that nobody ticked has nobody to tell.
    fn of_rating(
        &self,
        received: &Received<rate::Rated>,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, Failure> {
        let (image, named) = (received.event.image, received.event.owner);
        match self.ticked.get(&image) {
            Some(owner) if self.erased.contains(&owner.0) => Err(Failure::Erased),
            Some(owner) => Ok(Some(*owner)),
            None if named.is_some() => Ok(named),
            None if (now - received.time).abs() < WAIT_FOR_TICK => {
                let why = "nobody has ticked this image yet";
                Err(Failure::Transient(why.to_owned()))
            }
            None => Ok(None),
        }
    }
}
