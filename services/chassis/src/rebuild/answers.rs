//! How a service answers about its rebuilds.

use super::{ALREADY_RUNNING, Cancel, Rebuild, Show, Start, store};
use crate::database::Database;
use crate::rpc::{Answers, BoundAnswers, Refusal};

/// The answers of a service that can be rebuilt.
pub(crate) fn answers(database: &Database) -> BoundAnswers {
    let service = database.service();
    Answers::new()
        .on_common(service, start)
        .on_common(service, show)
        .on_common(service, cancel)
        .with_state(database.clone())
}

async fn start(database: Database, asked: Start) -> Result<Rebuild, Refusal> {
    let mut work = database.begin().await?;
    let is_first = store::insert(&mut work, &asked).await?;
    let found = store::find(&mut work, database.service()).await?;
    work.commit().await?;
    match found {
        Some(rebuild) if is_first => {
            database.rebuild_asked.notify_one();
            Ok(rebuild)
        }
        _ => Err(Refusal::new(ALREADY_RUNNING)),
    }
}

async fn show(database: Database, _: Show) -> Result<Option<Rebuild>, Refusal> {
    let mut session = database.read().await?;
    Ok(store::find(&mut session, database.service()).await?)
}

async fn cancel(database: Database, _: Cancel) -> Result<bool, Refusal> {
    let mut work = database.begin().await?;
    let is_cancelled = store::cancel(&mut work, database.service()).await?;
    work.commit().await?;
    Ok(is_cancelled)
}
