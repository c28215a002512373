//! What the service holds about a person, and how it goes: fence, files, rows, then outbox and receipt.

use chassis::consumers::{Delivery, Failure, Handled};
use chassis::database::DatabaseError;
use chassis::erasure::confirm;
use chassis::objects::Objects;
use chassis::unit_of_work::Work;
use envelope::{ImageId, UserId, gdpr};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::App;
use crate::store::erasure as store;

/// Each file is overwritten and flushed, which is waiting rather than work.
const FILES_AT_ONCE: usize = 8;

/// On `gdpr.delete`: everything about the person goes.
pub(crate) async fn erase(
    app: App,
    mut delivery: Delivery<gdpr::Delete>,
) -> Result<Handled, Failure> {
    let (user, request) = (delivery.event.user.id, delivery.id);
    let work = delivery.work();
    let images = fence(work, user).await?;
    delete_files(&app.objects, &images)
        .await
        .map_err(|error| Failure::Dependency(format!("the picture store: {}", error.kind())))?;
    let rows = store::delete_rows(work, user, request).await?;
    confirm(delivery, &people(user, &images), rows).await
}

/// Fences the person and all their images off, and says which these are. The fence is asked for both at once, as every
/// writer does; an upload that ended meanwhile is fenced after it, since no new one can.
async fn fence(work: &mut Work, user: UserId) -> Result<Vec<ImageId>, DatabaseError> {
    let known = store::images_of(work, user).await?;
    work.fence(&people(user, &known)).await?;
    let images = store::images_of(work, user).await?;
    let late: Vec<Uuid> = images
        .iter()
        .filter(|image| !known.contains(image))
        .map(|image| image.0)
        .collect();
    if !late.is_empty() {
        work.fence(&late).await?;
    }
    Ok(images)
}

fn people(user: UserId, images: &[ImageId]) -> Vec<Uuid> {
    std::iter::once(user.0)
        .chain(images.iter().map(|image| image.0))
        .collect()
}

async fn delete_files(objects: &Objects, images: &[ImageId]) -> std::io::Result<()> {
    stream::iter(images.iter().copied())
        .map(|image| objects.delete(image))
        .buffer_unordered(FILES_AT_ONCE)
        .try_collect()
        .await
}
