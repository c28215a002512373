//! The table of questions and their answers.

use chassis::rpc::{Answers, BoundAnswers, Refusal};
use chassis::unit_of_work::Draft;
use clients::tick::EraseAgain;
use envelope::gdpr;

use crate::App;

pub(crate) fn table(app: App) -> BoundAnswers {
    Answers::new().on(erase_again).with_state(app)
}

/// Only who is fenced off already may be erased without being asked.
async fn erase_again(app: App, question: EraseAgain) -> Result<(), Refusal> {
    let user = question.user;
    let mut work = app.database.begin().await?;
    if !work.is_erased(user.0).await? {
        return Err(Refusal::new("not-erased"));
    }
    let event = gdpr::Delete { user: user.into() };
    work.publish(Draft::new(event).with_id(question.event))
        .map_err(|error| Refusal::internal(&error))?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(())
}
