//! The guard: who was erased stays erased. Events and dead letters that name them afterwards, from
//! late or foreign publishers, are overwritten in the streams.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use anyhow::ensure;
use chassis::rpc::ask;
use clients::statistics::ForgetImages;
use envelope::ImageId;
use uuid::Uuid;

use crate::store::Place;
use crate::{App, broker, dead_letters, replicas, store};

/// A net for wake-ups that were missed, and how often dead letters are looked at.
const POLL: Duration = Duration::from_secs(1);
/// How many events are deleted in one step.
const BATCH: i64 = 64;
/// How many photos go into one question.
const IMAGES: usize = 1000;

/// Watches until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    // After a restart all dead letters are looked at once more.
    let mut next = 1;
    while !app.lifecycle.is_stopping() {
        match round(&app, next).await {
            Ok(reached) => next = reached,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "late events wait to be deleted");
            }
        }
        tokio::select! {
            () = app.wake_guard.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.lifecycle.stopped() => {}
        }
    }
    Ok(())
}

async fn round(app: &App, next: u64) -> anyhow::Result<u64> {
    delete_late(app).await?;
    forget_late_images(app).await?;
    let swept = dead_letters::sweep(app, next).await?;
    count(swept.deleted);
    replicas::have_seen_all(app, None).await?;
    Ok(swept.next)
}

/// Deletes the late events from their streams. Answers how many there were.
pub(crate) async fn delete_late(app: &App) -> anyhow::Result<u64> {
    let mut deleted = 0;
    while !app.lifecycle.is_stopping() {
        let late = store::late::first(&mut app.database.read().await?, BATCH).await?;
        if late.is_empty() {
            break;
        }
        deleted += erase_all(app, &late).await?;
        let mut work = app.database.begin().await?;
        store::late::delete(&mut work, &late).await?;
        work.commit().await?;
    }
    count(deleted);
    Ok(deleted)
}

/// Has the photos forgotten whose ticks came late.
pub(crate) async fn forget_late_images(app: &App) -> anyhow::Result<()> {
    let images = store::late::images(&mut app.database.read().await?).await?;
    if images.is_empty() {
        return Ok(());
    }
    have_forgotten(app, &images).await?;
    let mut work = app.database.begin().await?;
    for image in &images {
        store::late::delete_image(&mut work, *image).await?;
    }
    work.erases();
    Ok(work.commit().await?)
}

/// Statistics may have learnt of a photo's score, and passed over the tick that says whose it is.
pub(crate) async fn have_forgotten(app: &App, images: &[Uuid]) -> anyhow::Result<()> {
    for some in images.chunks(IMAGES) {
        let images = some.iter().copied().map(ImageId).collect();
        let asked = ask(&app.bus, &ForgetImages { images }).await;
        asked.context("Statistics did not forget an erased person's photos")?;
    }
    Ok(())
}

/// Overwrites the messages at these places that name an erased person. In a stream that was made
/// anew a place may hold somebody else's event by now. Answers how many went.
pub(crate) async fn erase_all(app: &App, places: &[Place]) -> anyhow::Result<u64> {
    ensure!(replicas::are_here(app).await?, replicas::AWAY);
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let sequence = u64::try_from(place.sequence)?;
        let message = broker::get(&app.bus, &place.stream, sequence).await?;
        found.extend(message.map(|message| (place, dead_letters::ids_of(&message), sequence)));
    }
    let named: HashSet<Uuid> = found.iter().flat_map(|(_, ids, _)| ids).copied().collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let erased = app.database.begin().await?.erased_among(&named).await?;
    let mut deleted = 0;
    for (place, ids, sequence) in found {
        if ids.iter().any(|id| erased.contains(id)) {
            deleted += u64::from(broker::erase(&app.bus, &place.stream, sequence).await?);
        }
    }
    Ok(deleted)
}

fn count(deleted: u64) {
    metrics::counter!("dipper_erased_late_events_total").increment(deleted);
}
