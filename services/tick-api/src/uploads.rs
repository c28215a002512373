//! The way of an upload to the picture store, safe at every step: a note that files may come, the files, then the row
//! in the transaction that takes the note away. Pictures are decoded one after the other when memory would not do for more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::clock::micros;
use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::objects::Objects;
use envelope::ImageId;
use tokio::sync::Semaphore;

use crate::App;
use crate::error::Error;
use crate::picture::{self, Format, MOST_MEMORY, Picture, PictureError};
use crate::store::images::{self, NewImage};
use crate::store::{limits, uploads};

/// No request lasts that long: what has not ended by then never will.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// How many pictures are decoded at the same time at most: each takes a core.
const DECODED_AT_ONCE: u32 = 2;

/// Places for pictures that are decoded, one a megabyte.
pub(crate) fn decoding() -> Semaphore {
    Semaphore::new(usize::try_from(MOST_MEMORY).unwrap_or(Semaphore::MAX_PERMITS))
}

/// Takes a picture in, once there is memory for it.
pub(crate) async fn decode(app: &App, format: Format, bytes: Bytes) -> Result<Picture, Error> {
    let file = bytes.clone();
    let checked = blocking(move || picture::check(format, &file)).await?;
    let places = checked.memory.max(MOST_MEMORY / DECODED_AT_ONCE);
    let places = Arc::clone(&app.decoding).acquire_many_owned(places).await;
    let places = places.map_err(|_| Error::Stopping)?;
    let take_in = move || {
        // Whoever sent it may be answered, or gone, before the work is done: until then it has its memory.
        let _places = places;
        checked.take_in(&bytes)
    };
    blocking(take_in).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PictureError> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| PictureError::NotProcessed)??)
}

/// Keeps a picture: when this returns, row and files are durable. Says which of the owner's is the same.
pub(crate) async fn keep(
    app: &App,
    image: &NewImage,
    picture: Picture,
) -> Result<Option<ImageId>, Error> {
    begin(app, image).await?;
    let sizes = picture.sizes.into_iter();
    let sizes = sizes
        .map(|(size, file)| (size.longest_edge(), file))
        .collect();
    let kept = match app.objects.put(image.id, sizes).await {
        Ok(()) => end(app, image).await,
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
    let (quota, wanted) = (app.storage_quota, image.bytes);
    let used = uploads::bytes_of(&mut work, image.owner).await?;
    if used.saturating_add(wanted) > quota {
        return Err(Error::NoRoom {
            used,
            wanted,
            quota,
        });
    }
    uploads::begin(&mut work, image, app.clock.micros()).await?;
    work.commit().await?;
    Ok(())
}

async fn end(app: &App, image: &NewImage) -> Result<Option<ImageId>, Error> {
    let mut work = app.database.begin().await?;
    let is_gone = work.is_erased(image.owner.0).await?;
    if is_gone || !uploads::end(&mut work, image.id).await? {
        return Err(Error::CallerGone);
    }
    let same = images::same(&mut work, image).await?;
    images::insert(&mut work, image, app.clock.micros()).await?;
    work.commit().await?;
    Ok(same)
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
