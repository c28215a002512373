//! What AuthAPI does by itself: removes what has expired.

use std::time::Duration;

use chassis::database::DatabaseError;
use chassis::lifecycle::Lifecycle;

use crate::{App, store};

const EVERY: Duration = Duration::from_mins(10);

/// Works until the stop.
pub(crate) async fn run(app: App, lifecycle: Lifecycle) -> anyhow::Result<()> {
    loop {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "what has expired could not be removed; trying again later");
        }
        if !lifecycle.pause(EVERY).await {
            return Ok(());
        }
    }
}

async fn sweep(app: &App) -> Result<(), DatabaseError> {
    let mut work = app.database.begin().await?;
    let removed = store::delete_expired(&mut work, app.clock.micros()).await?;
    work.deletes_for_good();
    work.commit().await?;
    tracing::debug!(removed, "removed what has expired");
    Ok(())
}
