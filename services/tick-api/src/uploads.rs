//! The way of an upload to the picture store, safe at every step: a note that files may come, the files, then the row
//! in the transaction that takes the note away.

use std::time::Duration;

use chassis::clock::micros;
use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::objects::Objects;

use crate::App;
use crate::error::Error;
use crate::picture::Picture;
use crate::store::images::{self, NewImage};
use crate::store::{limits, uploads};

/// No request lasts that long: what has not ended by then never will.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// Keeps a picture: when this returns, row and files are durable.
pub(crate) async fn keep(app: &App, image: NewImage, picture: Picture) -> Result<(), Error> {
    begin(app, &image).await?;
    let sizes = picture.sizes.into_iter();
    let sizes = sizes
        .map(|(size, file)| (size.longest_edge(), file))
        .collect();
    let kept = match app.objects.put(image.id, sizes).await {
        Ok(()) => end(app, &image).await,
        Err(error) => Err(error.into()),
    };
    if kept.is_err() {
        // If this fails as well, the note is still there and the files are cleared away later.
        let _ = app.objects.delete(image.id).await;
    }
    kept
}

async fn begin(app: &App, image: &NewImage) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(image.owner.0).await? {
        return Err(Error::CallerGone);
    }
    if limits::is_restricted(&mut work, image.owner).await? {
        return Err(Error::Restricted);
    }
    uploads::begin(&mut work, image.id, image.owner, app.clock.micros()).await?;
    work.commit().await?;
    Ok(())
}

async fn end(app: &App, image: &NewImage) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    let is_gone = work.is_erased(image.owner.0).await?;
    if is_gone || !uploads::end(&mut work, image.id).await? {
        return Err(Error::CallerGone);
    }
    images::insert(&mut work, image, app.clock.micros()).await?;
    work.commit().await?;
    Ok(())
}

/// Clears away what uploads left that were cut off by a crash.
pub(crate) async fn clear_abandoned(
    database: Database,
    objects: Objects,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    loop {
        if let Err(error) = clear(&database, &objects).await {
            tracing::warn!(%error, "abandoned uploads could not be cleared away; trying again later");
        }
        if !lifecycle.pause(LOOK_EVERY).await {
            return Ok(());
        }
    }
}

async fn clear(database: &Database, objects: &Objects) -> Result<(), Error> {
    let mut work = database.begin().await?;
    let before = work.clock().micros() - micros(ABANDONED_AFTER);
    for image in uploads::abandoned(&mut work, before).await? {
        objects.delete(image).await?;
        uploads::end(&mut work, image).await?;
    }
    work.commit().await?;
    Ok(())
}
