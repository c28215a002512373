//! The table of answered questions, and the answers.

use chassis::rpc::{Answers, BoundAnswers, Refusal};
use chassis::unit_of_work::Draft;
use clients::tick::BeginErasure;
use envelope::gdpr;

use crate::App;
use crate::error::Error;

pub(crate) fn table(app: App) -> BoundAnswers {
    Answers::new().on(begin_erasure).with_state(app)
}

async fn begin_erasure(app: App, question: BeginErasure) -> Result<(), Refusal> {
    let was_asked = publish_erasure(&app, question).await;
    if was_asked.map_err(|error| Refusal::internal(&error))? {
        Ok(())
    } else {
        Err(Refusal::new("not-asked"))
    }
}

/// Publishes the event, if its person was promised it: the fence is the promise. Asked again, because
/// an answer was lost, the same event is published twice, and counts once.
async fn publish_erasure(app: &App, question: BeginErasure) -> Result<bool, Error> {
    let BeginErasure { user, event } = question;
    let mut work = app.database.begin().await?;
    if !work.is_erased(user.0).await? {
        return Ok(false);
    }
    work.publish(Draft::new(gdpr::Delete { user: user.into() }).with_id(event))?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(true)
}
