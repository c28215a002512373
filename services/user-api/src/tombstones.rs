//! Tombstones: whoever is erased is written into the ledger before anything is deleted, so that no
//! backup that is restored can bring them back. They go when the last such backup is gone, and soon after them
//! the requests that were done.

use std::time::Duration;

use anyhow::Context as _;
use chassis::Chassis;
use chassis::clock::micros;
use chassis::consumers::Failure;
use chassis::keys::PurposeKey;
use chassis::ledger::{Head, Ledger, LedgerError, Tombstone};
use chassis::retention::sweep_every;
use chassis::unit_of_work::Work;
use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::App;
use crate::store::{erasures, finished, ledger};

/// For so long at most after the last backup is gone, whoever has asked can read what became of it.
const LONGEST_SLACK: Duration = Duration::from_hours(24);

/// Who writes into the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Tombstones {
    pub ledger: Ledger,
    /// Makes the hashes that every fence holds.
    subject_key: PurposeKey,
    backup_life: Duration,
}

impl Tombstones {
    pub(crate) fn new(chassis: &Chassis) -> Self {
        Self {
            ledger: chassis.settings.ledger(&chassis.keys),
            subject_key: chassis.keys.purpose("fence"),
            backup_life: chassis.settings.backup_life.0,
        }
    }

    /// Writes the tombstone of somebody who is being fenced off, before that is committed.
    pub(crate) async fn raise(&self, work: &mut Work, user: Uuid) -> Result<(), Failure> {
        let now = work.clock().now();
        let head = self.bury(user, now, DateTime::<Utc>::MIN_UTC).await;
        let head = head.map_err(|error| Failure::Dependency(format!("{error:#}")))?;
        Ok(ledger::record(work, &head).await?)
    }

    /// Lets a tombstone last until the last backup is gone that may hold the person, of whom there was
    /// something left until now. The receipt names that day.
    pub(crate) async fn keep(&self, work: &mut Work, user: Uuid) -> anyhow::Result<()> {
        let now = work.clock().now();
        let until = now + self.backup_life;
        let head = self.bury(user, now, until).await?;
        ledger::record(work, &head).await?;
        erasures::set_backups_end(work, user, until.timestamp_micros()).await?;
        Ok(())
    }

    async fn bury(
        &self,
        user: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> anyhow::Result<Head> {
        let tombstone = Tombstone {
            subject: self.subject_key.hash(user.as_bytes()),
            at: now,
            expires_at: now + self.backup_life,
        };
        let ledger = self.ledger.clone();
        let burying = spawn_blocking(move || ledger.bury(tombstone, until));
        Ok(burying.await.context("a tombstone was not written")??)
    }

    async fn forget_expired(
        &self,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Result<usize, LedgerError>> {
        let ledger = self.ledger.clone();
        Ok(spawn_blocking(move || ledger.forget_expired(now)).await?)
    }
}

/// Lets go of tombstones and requests whose time is over, until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    let pause = sweep_every(app.tombstones.backup_life);
    loop {
        match app.tombstones.forget_expired(app.clock.now()).await? {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "tombstones went with the last backup"),
            Err(error) => tracing::warn!(%error, "expired tombstones stay for now"),
        }
        if let Err(error) = forget_requests(&app).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "requests that were done long ago stay for now");
        }
        if !app.lifecycle.pause(pause).await {
            return Ok(());
        }
    }
}

async fn forget_requests(app: &App) -> anyhow::Result<()> {
    let (now, life) = (app.clock.micros(), app.tombstones.backup_life);
    let mut work = app.database.begin().await?;
    let slack = micros(LONGEST_SLACK.min(life));
    let erasures = finished::forget_erasures(&mut work, now - slack).await?;
    let exports = finished::forget_exports(&mut work, now - micros(life)).await?;
    if erasures + exports > 0 {
        work.deletes_for_good();
        tracing::info!(erasures, exports, "requests that were done are forgotten");
    }
    Ok(work.commit().await?)
}
