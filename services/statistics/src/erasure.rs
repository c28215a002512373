//! What the service holds about a person, and how it goes: their ticks, ratings, log-ins and mails,
//! scores and other people's ratings of their images, and the note that they exist. Figures are
//! counted from these rows, so they then are what they would be had the person never come. Public cells go on to show what they
//! did for a while: see [`held`].

use chassis::consumers::{Delivery, Failure, Handled};
use chassis::database::DatabaseError;
use chassis::erasure::confirm;
use chassis::unit_of_work::Work;
use envelope::{ImageId, UserId, gdpr};
use uuid::Uuid;

use crate::store::held;
use crate::{App, store};

/// Deletes all that is held about a person and leaves a receipt.
pub(crate) async fn on_delete(
    _: App,
    mut delivery: Delivery<gdpr::Delete>,
) -> Result<Handled, Failure> {
    let (user, at) = (delivery.event.user.id, delivery.time.timestamp_micros());
    held::hold(delivery.work(), user, at).await?;
    let (people, rows) = erase(delivery.work(), user).await?;
    confirm(delivery, &people, rows).await
}

/// Fences the person and their images and deletes every row about them. Says who was fenced and
/// how many rows went.
pub(crate) async fn erase(
    work: &mut Work,
    user: UserId,
) -> Result<(Vec<Uuid>, u64), DatabaseError> {
    let mut people = vec![user.0];
    people.extend(store::erasure::images_of(work, user).await?);
    work.fence(&people).await?;
    let rows = store::erasure::delete(work, user).await?;
    Ok((people, rows))
}

/// Fences photos of an erased person and deletes every row about them.
pub(crate) async fn forget_images(
    work: &mut Work,
    images: &[ImageId],
) -> Result<(), DatabaseError> {
    let ids: Vec<Uuid> = images.iter().map(|image| image.0).collect();
    work.fence(&ids).await?;
    for image in ids {
        store::erasure::forget_image(work, image).await?;
    }
    Ok(())
}
