//! The eraser: once all services are done with a request, it overwrites the person's events in the
//! streams until nothing is found any more, and leaves the rest to the scan. A killed eraser begins
//! again and finds what is left.

use std::time::Duration;

use chassis::erasure::erase_delivery;
use uuid::Uuid;

use crate::broker::End;
use crate::needles::Needles;
use crate::store::{corrections, erasures, index, scans};
use crate::{App, broker, dead_letters, guard, replicas};

/// A net for wake-ups that were missed.
const POLL: Duration = Duration::from_secs(1);
/// How many events are deleted in one step.
const BATCH: i64 = 64;

/// Erases until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    while !app.lifecycle.is_stopping() {
        if let Err(error) = round(&app).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "an erasure was interrupted; it goes on in a moment");
        }
        tokio::select! {
            () = app.wake_eraser.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.lifecycle.stopped() => {}
        }
    }
    Ok(())
}

async fn round(app: &App) -> anyhow::Result<()> {
    let mut session = app.database.read().await?;
    let users = erasures::ready(&mut session).await?;
    drop(session);
    for user in users {
        erase(app, user).await?;
    }
    Ok(())
}

/// Sweeps until a sweep finds nothing, then has the scan look for the user.
async fn erase(app: &App, user: Uuid) -> anyhow::Result<()> {
    if !replicas::are_here(app).await? {
        return Ok(());
    }
    loop {
        let Some(ends) = broker::index_ends(&app.bus, &app.lifecycle).await? else {
            return Ok(());
        };
        // Another request for the same user may have come; its event must reach all services first.
        if !is_ready(app, user).await? {
            return Ok(());
        }
        if sweep(app, user, &ends).await? == 0 {
            break;
        }
    }
    if !replicas::have_seen_all(app, Some(user)).await? {
        return Ok(());
    }
    let images = index::images(&mut app.database.read().await?, user).await?;
    guard::have_forgotten(app, &images).await?;
    // Their rows went when the person was fenced off.
    app.exports.sweep(app).await?;
    if !app.lifecycle.is_stopping() && forget(app, user).await? {
        app.wake_scanner.notify_one();
    }
    Ok(())
}

async fn is_ready(app: &App, user: Uuid) -> anyhow::Result<bool> {
    let ready = erasures::ready(&mut app.database.read().await?).await?;
    Ok(ready.contains(&user))
}

/// Deletes whatever names the person: by the index, by key, late ones, dead letters, mails. Answers how
/// much there was.
async fn sweep(app: &App, user: Uuid, ends: &[End]) -> anyhow::Result<u64> {
    let indexed = delete_indexed(app, user).await?;
    let keyed = delete_by_key(app, &people(app, user).await?, ends).await?;
    let late = guard::delete_late(app).await?;
    let dead = dead_letters::sweep(app, 1).await?.deleted;
    let mails = app.mails.erase(user).await?;
    guard::forget_late_images(app).await?;
    let rest = keyed + late + dead + mails;
    if rest > 0 {
        count(app, user, rest).await?;
    }
    Ok(indexed + rest)
}

/// Deletes the events that the index knows, including the `gdpr.delete` that asked for it.
async fn delete_indexed(app: &App, user: Uuid) -> anyhow::Result<u64> {
    let mut found = 0;
    while !app.lifecycle.is_stopping() {
        let places = index::places(&mut app.database.read().await?, user, BATCH).await?;
        // In this order: a request that is fenced by now shows, whose event these places may hold.
        if places.is_empty() || !is_ready(app, user).await? {
            break;
        }
        let deleted = guard::erase_all(app, &places).await?;
        let mut work = app.database.begin().await?;
        index::forget_places(&mut work, &places).await?;
        erasures::count_deleted(&mut work, user, i64::try_from(deleted)?).await?;
        work.commit().await?;
        found += places.len() as u64;
    }
    Ok(found)
}

/// Deletes messages whose subject's key is the person's: those that could not be read as events
/// are in no index.
async fn delete_by_key(app: &App, people: &[Uuid], ends: &[End]) -> anyhow::Result<u64> {
    let mut deleted = 0;
    for id in people {
        for end in ends {
            deleted += delete_key(app, *id, *end).await?;
        }
    }
    Ok(deleted)
}

async fn delete_key(app: &App, id: Uuid, (stream, last): End) -> anyhow::Result<u64> {
    let filter = format!("{}.*.*.{id}", stream.entity);
    let (mut deleted, mut from) = (0, 1);
    while let Some(message) = broker::next(&app.bus, stream.name, &filter, from).await? {
        // What came later is for the index to see first.
        if message.sequence > last || app.lifecycle.is_stopping() {
            break;
        }
        let was_there = broker::erase(&app.bus, stream.name, message.sequence).await?;
        deleted += u64::from(was_there);
        from = message.sequence + 1;
    }
    Ok(deleted)
}

/// The user and their images.
async fn people(app: &App, user: Uuid) -> anyhow::Result<Vec<Uuid>> {
    let images = index::images(&mut app.database.read().await?, user).await?;
    Ok([vec![user], images].concat())
}

async fn count(app: &App, user: Uuid, deleted: u64) -> anyhow::Result<()> {
    let mut work = app.database.begin().await?;
    erasures::count_deleted(&mut work, user, i64::try_from(deleted)?).await?;
    work.commit().await?;
    Ok(())
}

/// Forgets the person here as well: all that is left is what to look for, sealed. Says whether it is
/// done: a message may have been indexed, or another request fenced, in the meantime.
async fn forget(app: &App, user: Uuid) -> anyhow::Result<bool> {
    let people = people(app, user).await?;
    let mut work = app.database.begin().await?;
    let is_new = !index::places(&mut work, user, 1).await?.is_empty();
    if is_new || !erasures::ready(&mut work).await?.contains(&user) {
        return Ok(false);
    }
    erase_delivery(&mut work, &people).await?;
    app.tombstones.keep(&mut work, user).await?;
    let now = work.clock().micros();
    for (event, sealed) in scans::needles(&mut work, user).await? {
        let known = sealed.map(|sealed| app.needles.open(event, &sealed));
        let mut needles = known.unwrap_or_else(|| Ok(Needles::by_id(user)))?;
        needles.see_images(index::images(&mut work, user).await?);
        scans::set_needles(&mut work, event, &app.needles.seal(event, &needles)?).await?;
        scans::begin(&mut work, event, now).await?;
    }
    index::forget_images(&mut work, user).await?;
    corrections::forget(&mut work, user).await?;
    work.erases();
    work.commit().await?;
    Ok(true)
}

/// Deletes what came too late for the sweeps and is in no index: messages by their key, and mails.
pub(crate) async fn sweep_again(app: &App, needles: &Needles) -> anyhow::Result<()> {
    if !replicas::are_here(app).await? {
        return Ok(());
    }
    let Some(ends) = broker::index_ends(&app.bus, &app.lifecycle).await? else {
        return Ok(());
    };
    let people = [vec![needles.user], needles.images.clone()].concat();
    delete_by_key(app, &people, &ends).await?;
    app.mails.erase(needles.user).await?;
    Ok(())
}
