//! What AuthAPI holds about a person - credential, sessions, links that were mailed, a code - and how
//! it goes: fenced and deleted in one transaction with the receipt.

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
