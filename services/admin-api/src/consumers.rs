//! The table of consumed events and the handlers that keep the audit log.

use chassis::consumers::{BoundConsumers, Consumers, Delivery, Failure, Handled};
use chassis::database::Database;
use envelope::{admin, gdpr};

use crate::store::Entry;
use crate::{App, audit, erasure, store};

pub(crate) fn consumers(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on(on_audit)
        .on(on_erased)
        .on(erasure::erase)
        .with_state(app, database)
}

async fn on_audit(_: App, mut delivery: Delivery<admin::Audit>) -> Result<Handled, Failure> {
    let said = delivery.event.clone();
    let entry = Entry {
        id: delivery.id.0,
        at: delivery.time.timestamp_micros(),
        action: said.action,
        target: said.target,
        reason: said.reason,
    };
    store::add(delivery.work(), Some(said.admin.id), &entry).await?;
    Ok(delivery.done())
}

/// The end of an erasure: the keyed hash tells nobody who it was.
async fn on_erased(_: App, mut delivery: Delivery<gdpr::Erased>) -> Result<Handled, Failure> {
    let entry = Entry {
        id: delivery.id.0,
        at: delivery.time.timestamp_micros(),
        action: audit::PERSON_ERASED.to_owned(),
        target: delivery.event.subject.clone(),
        reason: audit::ON_REQUEST.to_owned(),
    };
    store::add(delivery.work(), None, &entry).await?;
    Ok(delivery.done())
}
