//! How services answer an auditor.

use std::sync::Arc;

use async_nats::HeaderMap;

use super::digest::{self, Bucket};
use super::questions::{Again, AnswerAgain, Audit, Digests, Findings, Unknown};
use super::store;
use crate::bus::Bus;
use crate::consumers::offered::{Offered, Place};
use crate::consumers::{BoundEffects, Failure};
use crate::database::Database;
use crate::rpc::{Answers, BoundAnswers, Refusal};

/// The answers of a service with a database.
pub fn answers(database: &Database) -> BoundAnswers {
    let service = database.service();
    Answers::new()
        .on_common(service, digests)
        .on_common(service, unknown)
        .on_common(service, audit)
        .with_state(database.clone())
}

async fn digests(app: Database, question: Digests) -> Result<Option<Vec<Bucket>>, Refusal> {
    let place = (question.source.as_str(), question.stream.as_str());
    let mut session = app.read().await?;
    let read = digest::read(&mut session, app.service(), place, &question.buckets).await?;
    Ok(Some(read))
}

async fn unknown(app: Database, question: Unknown) -> Result<Vec<uuid::Uuid>, Refusal> {
    let mut session = app.read().await?;
    let place = (app.service(), question.stream.as_str());
    let unknown = store::unknown(&mut session, place, &question.events).await?;
    Ok(unknown.into_iter().collect())
}

async fn audit(app: Database, _: Audit) -> Result<Findings, Refusal> {
    let mut session = app.read().await?;
    Ok(store::findings(&mut session, &app.clock).await?)
}

type Stateless = Arc<(Bus, BoundEffects)>;

/// The answers of a service that only answers events with events.
pub fn stateless_answers(service: &str, bus: &Bus, effects: BoundEffects) -> BoundAnswers {
    Answers::new()
        .on_common(service, |_: Stateless, _: Digests| async { Ok(None) })
        .on_common(service, answer_again)
        .with_state(Arc::new((bus.clone(), effects)))
}

async fn answer_again(app: Stateless, question: AnswerAgain) -> Result<Again, Refusal> {
    let (bus, effects) = &*app;
    let stream = envelope::stream(&question.stream).ok_or_else(|| Refusal::new("no-stream"))?;
    let place = Place {
        incarnation: 0,
        sequence: question.sequence.unsigned_abs(),
    };
    let body = question.body.into();
    let offered = Offered::new(place, question.subject, HeaderMap::new(), body);
    Ok(match effects.try_once(bus, stream.name, &offered).await {
        Ok(()) => Again::Answered,
        // In its turn it became a dead letter, and somebody decides about it.
        Err(Failure::Erased | Failure::Poison(_)) => Again::Needless,
        Err(_) => Again::Later,
    })
}
