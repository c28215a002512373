//! Log-ins that are older than their stream keeps them go; how many there were stays.

use std::time::Duration;

use chassis::database::{Database, DatabaseError};
use chassis::lifecycle::Lifecycle;

use crate::store;

const EVERY: Duration = Duration::from_mins(10);

/// Retires old log-ins until the stop.
///
/// That somebody has ever logged in stays in `person` until they are erased: it holds no time, and
/// the number of users must not fall because people were away for a month.
pub(crate) async fn retire(
    database: Database,
    life: Duration,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    loop {
        if let Err(error) = retire_once(&database, life).await {
            tracing::warn!(%error, "old log-ins could not be retired; trying again later");
        }
        if !lifecycle.pause(EVERY.min(life)).await {
            return Ok(());
        }
    }
}

async fn retire_once(database: &Database, life: Duration) -> Result<(), DatabaseError> {
    let mut work = database.begin().await?;
    let life = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
    let before = work.clock().micros().saturating_sub(life);
    let gone = store::facts::retire_logins(&mut work, before).await?;
    if gone > 0 {
        work.deletes_for_good();
    }
    work.commit().await
}
