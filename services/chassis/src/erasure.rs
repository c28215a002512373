//! What every service does alike when a person is erased: a receipt in the same transaction, and
//! afterwards files in which nothing of the deleted rows can be read.

use std::time::Duration;

use envelope::gdpr;
use uuid::Uuid;

use crate::consumers::{Delivery, Failure, Handled, parking};
use crate::database::{Database, DatabaseError, Session};
use crate::lifecycle::Lifecycle;
use crate::outbox;
use crate::scrub;
use crate::unit_of_work::Draft;

/// A reader may hold the log for a moment.
const SCRUB_AGAIN: Duration = Duration::from_millis(250);

/// What a service deleted of a person.
#[derive(Debug)]
pub struct Deleted {
    /// How many rows.
    pub rows: u64,
    /// The Message-IDs of mails that it was handing over meanwhile.
    pub mails_under_way: Vec<Uuid>,
}

impl From<u64> for Deleted {
    fn from(rows: u64) -> Self {
        Self {
            rows,
            mails_under_way: Vec::new(),
        }
    }
}

/// Ends a service's part in an erasure: deletes what the outbox and the parked events
/// hold of the person and their images, and leaves the receipt that says how many rows went. The service has fenced them and
/// deleted its own rows before.
pub async fn confirm(
    mut delivery: Delivery<gdpr::Delete>,
    people: &[Uuid],
    deleted: impl Into<Deleted>,
) -> Result<Handled, Failure> {
    let Deleted {
        mut rows,
        mails_under_way,
    } = deleted.into();
    let cause = delivery.cause();
    let work = delivery.work();
    rows += erase_delivery(work, people).await?;
    let service = work.database().service();
    let receipt = gdpr::Purged {
        request: cause.event.0.into(),
        service: service.to_owned(),
        rows,
        mails_under_way,
    };
    work.publish(Draft::caused_by(service, cause, receipt))?;
    Ok(delivery.done())
}

/// Deletes what the outbox and the parked events hold of people and their images; says how many rows.
pub async fn erase_delivery(session: &mut Session, people: &[Uuid]) -> Result<u64, DatabaseError> {
    let mut rows = 0;
    for person in people {
        rows += outbox::erase(session, *person).await?;
        rows += parking::erase(session, *person).await?;
    }
    Ok(rows)
}

/// Scrubs the database whenever rows were deleted for good, and once at the start: the process
/// may have ended between a deletion and its scrubbing.
pub(crate) async fn keep_scrubbed(database: Database, lifecycle: Lifecycle) -> anyhow::Result<()> {
    if let Some(pool) = database.postgres() {
        return scrub::keep(database, pool, lifecycle).await;
    }
    loop {
        if let Err(error) = empty_log(&database, &lifecycle).await {
            tracing::warn!(service = database.service(), %error, "deleted rows are not scrubbed yet; trying again");
            lifecycle.pause(Duration::from_secs(2)).await;
        } else {
            tokio::select! {
                () = database.deleted_for_good.notified() => {}
                () = database.leftovers.notified() => overwrite_leftovers(&database).await,
                () = lifecycle.stopped() => {}
            }
        }
        if lifecycle.is_stopping() {
            return Ok(());
        }
    }
}

async fn overwrite_leftovers(database: &Database) {
    let service = database.service();
    match database.overwrite_leftovers().await {
        Ok(pages) => {
            tracing::info!(
                service,
                pages,
                "what deleted rows had left in the database is overwritten"
            );
        }
        Err(error) => {
            tracing::warn!(service, %error, "what deleted rows have left in the database is not overwritten");
        }
    }
}

async fn empty_log(database: &Database, lifecycle: &Lifecycle) -> Result<(), DatabaseError> {
    while !database.scrub().await? {
        if !lifecycle.pause(SCRUB_AGAIN).await {
            return Ok(());
        }
    }
    Ok(())
}
