//! The exporter: writes the archives that people asked for, one at a time, and ends those that are
//! too old. What a killed exporter had begun is begun again when its claim has lapsed.

use std::time::Duration;

use chassis::clock::micros;
use chassis::keys::PurposeKey;
use envelope::UserId;
use uuid::Uuid;

use crate::App;
use crate::export::document;
use crate::export::folder::Source;
use crate::store::exports::{self, Claimed, Written};

/// A net for wake-ups that were missed, and how often ages are looked at.
const POLL: Duration = Duration::from_secs(1);
/// Whoever is silent for so long is taken for dead.
const CLAIM: Duration = Duration::from_secs(15);
const HOLD_EVERY: Duration = Duration::from_secs(5);

/// Exports until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    while !app.lifecycle.is_stopping() {
        match round(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(
                    error,
                    "an export was interrupted; it is begun again in a moment"
                );
            }
        }
        tokio::select! {
            () = app.wake_exporter.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.lifecycle.stopped() => {}
        }
    }
    Ok(())
}

/// Says whether there was something to export.
async fn round(app: &App) -> anyhow::Result<bool> {
    let attempt = app.clock.random_id();
    let claimed = end_old_and_claim(app, attempt).await?;
    app.exports.sweep(app).await?;
    let Some(claimed) = claimed else {
        return Ok(false);
    };
    tokio::select! {
        exported = Box::pin(export(app, attempt, &claimed)) => exported?,
        held = hold(app, attempt) => held?,
    }
    Ok(true)
}

async fn end_old_and_claim(app: &App, attempt: Uuid) -> anyhow::Result<Option<Claimed>> {
    let now = app.clock.micros();
    if !exports::is_any_due(&mut app.database.read().await?, now).await? {
        return Ok(None);
    }
    let mut work = app.database.begin().await?;
    if exports::end_old(&mut work, now).await? > 0 {
        work.deletes_for_good();
    }
    let claimed = exports::claim(&mut work, attempt, now + micros(CLAIM), now).await?;
    work.commit().await?;
    Ok(claimed)
}

/// Holds the claim; ends when somebody else has it, or nobody wants the export any more.
async fn hold(app: &App, attempt: Uuid) -> anyhow::Result<()> {
    while app.lifecycle.pause(HOLD_EVERY).await {
        let until = app.clock.micros() + micros(CLAIM);
        let mut work = app.database.begin().await?;
        let is_held = exports::hold(&mut work, attempt, until).await?;
        work.commit().await?;
        if !is_held {
            break;
        }
    }
    Ok(())
}

async fn export(app: &App, attempt: Uuid, claimed: &Claimed) -> anyhow::Result<()> {
    let source = Source {
        document: document(app, UserId(claimed.user_id)).await?,
        objects: app.objects.clone(),
        lifecycle: app.lifecycle.clone(),
    };
    let key = PurposeKey::random();
    let bytes = app.exports.write(attempt, key.clone(), source).await?;
    let written = Written {
        attempt,
        key_sealed: app.export_key.seal(&key_place(claimed.id), key.as_bytes()),
        bytes: i64::try_from(bytes)?,
        expires_at: app.clock.micros() + micros(app.export_life),
    };
    let mut work = app.database.begin().await?;
    let is_wanted = exports::ready(&mut work, &written).await?;
    work.deletes_for_good();
    work.commit().await?;
    if is_wanted {
        metrics::counter!("dipper_exports_finished_total").increment(1);
        tracing::info!(bytes, "an export is ready");
    }
    Ok(())
}

/// An archive's key opens in its own request's row only.
pub(crate) fn key_place(export: Uuid) -> String {
    format!("{export} key")
}
