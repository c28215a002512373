//! The events that are counted.

use chassis::consumers::{
    BoundConsumers, Consumers, Deliveries, Delivery, Failure, Handled, Received,
};
use chassis::database::Database;
use envelope::{notification, rate, score, tick, user};

use crate::store::facts::{self, Fact, Kind};
use crate::store::held;
use crate::store::limits::{self, Wish};
use crate::store::people::{self, Source};
use crate::store::ratings;
use crate::store::scores::{self, Scored};
use crate::store::ticks::{self, Ticked};
use crate::{App, erasure, store};

pub(crate) fn consumers(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on_many(on_ticks)
        .on(on_corrected)
        .on(on_tick_deleted)
        .on_many(on_ratings)
        .on_many(on_withdrawn)
        .on_many(on_scores)
        .on_many(on_notifications)
        .on_many(on_logins)
        .on_many(on_registered)
        .on(on_limited)
        .on(erasure::on_delete)
        .with_state(app, database)
        .carrying(store::CARRIED)
}

async fn on_ticks(_: App, mut deliveries: Deliveries<tick::New>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let ticked = received.iter().map(|received| Ticked {
        id: received.id.into(),
        user: received.event.user.id,
        image: received.event.image.url.image(),
        species: received.event.species.as_ref(),
        revision: 0,
        at: received.time.timestamp_micros(),
    });
    ticks::insert(work, ticked).await?;
    let users = received.iter().map(|received| received.event.user.id);
    people::insert(work, users, Source::Tick).await?;
    Ok(deliveries.done())
}

/// Takes the place of all that was said of the tick, whether or not that was read. It counts on the day of the tick, so that
/// figures are the same when the streams only have the correction.
async fn on_corrected(_: App, mut delivery: Delivery<tick::Update>) -> Result<Handled, Failure> {
    let tick = delivery.event.clone();
    let ticked = Ticked {
        id: tick.tick.id,
        user: tick.user.id,
        image: tick.image.url.image(),
        species: tick.species.as_ref(),
        revision: tick.revision,
        at: tick.ticked_at.timestamp_micros(),
    };
    let work = delivery.work();
    ticks::insert(work, std::iter::once(ticked)).await?;
    people::insert(work, std::iter::once(tick.user.id), Source::Tick).await?;
    // What was wrong must not stay in any file.
    work.erases();
    Ok(delivery.done())
}

async fn on_tick_deleted(_: App, mut delivery: Delivery<tick::Delete>) -> Result<Handled, Failure> {
    let (tick, user) = (delivery.event.tick.id, delivery.event.user.id);
    ticks::take_back(delivery.work(), tick, user).await?;
    Ok(delivery.done())
}

async fn on_ratings(_: App, mut deliveries: Deliveries<rate::Rated>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let words = received.iter().map(|received| {
        let rated = received.event;
        ratings::Word {
            user: rated.user,
            image: rated.image,
            owner: rated.owner,
            value: Some(rated.rating.into()),
            at: received.time.timestamp_micros(),
            event: received.id,
        }
    });
    ratings::record(work, words).await?;
    let users = received.iter().map(|received| received.event.user);
    people::insert(work, users, Source::Rate).await?;
    Ok(deliveries.done())
}

async fn on_withdrawn(
    _: App,
    mut deliveries: Deliveries<rate::Withdrawn>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let words = received.iter().map(|received| ratings::Word {
        user: received.event.user,
        image: received.event.image,
        owner: None,
        value: None,
        at: received.time.timestamp_micros(),
        event: received.id,
    });
    ratings::record(work, words).await?;
    Ok(deliveries.done())
}

async fn on_scores(_: App, mut deliveries: Deliveries<score::Update>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let facts = received.iter().map(|received| Fact {
        image: Some(received.event.image.url.image()),
        ..fact(Kind::Score, received)
    });
    facts::insert(work, facts).await?;
    let scores = received.iter().map(|received| Scored {
        image: received.event.image.url.image(),
        score: received.event.score,
        at: received.time.timestamp_micros(),
        event: received.id,
    });
    scores::record(work, scores).await?;
    Ok(deliveries.done())
}

async fn on_notifications(
    _: App,
    mut deliveries: Deliveries<notification::Email>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let facts = received.iter().map(|received| Fact {
        user: Some(received.event.user.id),
        ..fact(Kind::Notification, received)
    });
    facts::insert(work, facts).await?;
    Ok(deliveries.done())
}

async fn on_logins(_: App, mut deliveries: Deliveries<user::Login>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let facts = received.iter().map(|received| Fact {
        user: Some(received.event.user.id),
        ..fact(Kind::Login, received)
    });
    facts::insert(work, facts).await?;
    let users = received.iter().map(|received| received.event.user.id);
    people::insert(work, users, Source::User).await?;
    Ok(deliveries.done())
}

async fn on_registered(
    _: App,
    mut deliveries: Deliveries<user::Register>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let users = received.iter().map(|received| received.event.user.id);
    people::insert(work, users, Source::User).await?;
    Ok(deliveries.done())
}

async fn on_limited(_: App, mut delivery: Delivery<user::Limit>) -> Result<Handled, Failure> {
    let (limit, at) = (delivery.event, delivery.time.timestamp_micros());
    let wish = Wish {
        figures: limit.restricted || limit.objections.statistics,
        scores: limit.objections.scoring,
    };
    held::hold(delivery.work(), limit.user.id, at).await?;
    limits::set(delivery.work(), limit.user.id, wish, at).await?;
    Ok(delivery.done())
}

fn fact<T>(kind: Kind, received: &Received<T>) -> Fact {
    Fact {
        event: received.id,
        kind,
        user: None,
        image: None,
        at: received.time.timestamp_micros(),
    }
}
