//! What the service holds about a person, and how it goes: the ratings that wait to be told of, by
//! them or to them, mails about their account, when they were last told, their unsubscribe links,
//! and which pictures are theirs.

use chassis::consumers::{Delivery, Failure, Handled};
use chassis::database::DatabaseError;
use chassis::erasure::{Deleted, confirm};
use chassis::unit_of_work::Work;
use envelope::{UserId, gdpr};
use uuid::Uuid;

use crate::{App, store};

/// Deletes all that is held about a person and leaves a receipt.
pub(crate) async fn on_delete(
    _: App,
    mut delivery: Delivery<gdpr::Delete>,
) -> Result<Handled, Failure> {
    let user = delivery.event.user.id;
    let (people, deleted) = erase(delivery.work(), user).await?;
    confirm(delivery, &people, deleted).await
}

/// Fences the person and their images and deletes every row about them. Says who was fenced and
/// what went. The mailer breaks off what it is handing over to them.
pub(crate) async fn erase(
    work: &mut Work,
    user: UserId,
) -> Result<(Vec<Uuid>, Deleted), DatabaseError> {
    let mut people = vec![user.0];
    people.extend(store::images::of(work, user).await?);
    work.fence(&people).await?;
    let now = work.clock().micros();
    let deleted = Deleted {
        mails_under_way: store::erasure::mails_under_way(work, user, now).await?,
        rows: store::erasure::delete(work, user).await?,
    };
    Ok((people, deleted))
}
