//! The consumed events: all that the catalogue declares for us go through one handler, since the
//! index is the same for each.

use chassis::consumers::{BoundConsumers, Deliveries, Failure, Handled, Received};
use chassis::unit_of_work::Work;
use envelope::{Canonical as _, gdpr};

use crate::erasure::{self, Request};
use crate::store::Place;
use crate::{App, index};

pub(crate) fn table(app: App) -> BoundConsumers {
    let database = app.database.clone();
    BoundConsumers::any(app, database, on_event)
}

async fn on_event(app: App, mut deliveries: Deliveries<()>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    let kind = received.first().map(|first| {
        let contract = first.decoded.contract;
        (contract.entity, contract.kind)
    });
    match kind {
        Some((gdpr::Delete::ENTITY, gdpr::Delete::KIND)) => {
            for one in received {
                on_delete(&app, work, one).await?;
            }
            app.wake_eraser.notify_one();
            app.wake_exporter.notify_one();
        }
        Some((gdpr::Purged::ENTITY, gdpr::Purged::KIND)) => {
            for one in received {
                on_purged(work, one).await?;
            }
            app.wake_eraser.notify_one();
        }
        _ => on_any(&app, work, received).await?,
    }
    Ok(deliveries.done())
}

async fn on_delete(app: &App, work: &mut Work, received: &Received<()>) -> Result<(), Failure> {
    let event: gdpr::Delete = received.decoded.read().map_err(|error| poison(&error))?;
    let request = Request {
        event: received.id,
        user: event.user.id,
        place: place(received)?,
    };
    erasure::begin(work, &app.needles, &request).await?;
    app.tombstones.raise(work, request.user.0).await
}

async fn on_purged(work: &mut Work, received: &Received<()>) -> Result<(), Failure> {
    let receipt: gdpr::Purged = received.decoded.read().map_err(|error| poison(&error))?;
    erasure::receive(work, &receipt).await?;
    Ok(())
}

async fn on_any(app: &App, work: &mut Work, received: &[Received<()>]) -> Result<(), Failure> {
    let found = received.iter().map(|one| {
        let place = place(one)?;
        let decoded = &*one.decoded;
        Ok(index::Found { decoded, place })
    });
    let found: Vec<_> = found.collect::<Result<_, Failure>>()?;
    let recorded = index::record(work, &found).await?;
    if recorded.late > 0 {
        app.wake_guard.notify_one();
    }
    if recorded.are_corrected {
        app.wake_corrector.notify_one();
    }
    Ok(())
}

fn place(received: &Received<()>) -> Result<Place, Failure> {
    let (stream, sequence) = received.origin;
    Ok(Place::new(stream, sequence)?)
}

fn poison(error: &envelope::DecodeError) -> Failure {
    Failure::Poison(error.to_string())
}
