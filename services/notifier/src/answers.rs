//! The questions that are answered.

use chassis::database::DatabaseError;
use chassis::rpc::Refusal;
use clients::notifier::QueueAccountMail;

use crate::{App, store};

/// Queues a mail about an account; the answer says that it is durable.
pub(crate) async fn queue_account_mail(
    app: App,
    question: QueueAccountMail,
) -> Result<(), Refusal> {
    let queued = queue(&app, question).await;
    if queued.map_err(|error| Refusal::internal(&error))? {
        app.queued.notify_one();
        Ok(())
    } else {
        Err(Refusal::new("unknown-user"))
    }
}

/// Says no for somebody who was erased.
async fn queue(app: &App, question: QueueAccountMail) -> Result<bool, DatabaseError> {
    let QueueAccountMail { user, kind } = question;
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Ok(false);
    }
    let (id, now) = (app.clock.id(), app.clock.micros());
    store::accounts::queue(&mut work, id, (user, kind), now).await?;
    work.commit().await?;
    Ok(true)
}
