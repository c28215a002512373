//! What AdminAPI holds about a person - audit entries by them and about them - and how it goes:
//! the entries stay, the person's ids in them do not.

use chassis::consumers::{Delivery, Failure, Handled};
use chassis::erasure::confirm;
use envelope::gdpr;

use crate::{App, store};

/// `gdpr.delete`: the person is forgotten here.
pub(crate) async fn erase(
    app: App,
    mut delivery: Delivery<gdpr::Delete>,
) -> Result<Handled, Failure> {
    let user = delivery.event.user.id;
    let work = delivery.work();
    work.fence(&[user.0]).await?;
    let rows = store::erase(work, user).await?;
    app.authenticator.forget(user);
    confirm(delivery, &[user.0], rows).await
}
