//! Dead letters name people in bytes that nobody could read as an event. Whoever is named is asked
//! of the fence, so that no list of ids is needed and the letters that come later go as well.

use std::collections::HashSet;

use anyhow::{Context as _, ensure};
use async_nats::jetstream::message::StreamMessage;
use chassis::consumers::dead::headers;
use chassis::ids::ids_in;
use uuid::Uuid;

use crate::store::erasures;
use crate::{App, broker, replicas};

/// How many are read before the fence is asked about all of them; bounds memory.
const BATCH: usize = 32;

/// What one sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Where the next sweep begins, to see what is new.
    pub next: u64,
    /// How many messages were deleted.
    pub deleted: u64,
}

/// Deletes the dead letters from a sequence on that name an erased person, and what they are
/// copies of.
pub(crate) async fn sweep(app: &App, from: u64) -> anyhow::Result<Swept> {
    let mut swept = Swept {
        next: from.max(1),
        deleted: 0,
    };
    while !app.lifecycle.is_stopping() {
        let batch = read(app, swept.next).await?;
        let Some(last) = batch.last() else {
            break;
        };
        let next = last.sequence + 1;
        for letter in about_erased(app, batch).await? {
            swept.deleted += erase(app, &letter).await?;
        }
        swept.next = next;
    }
    Ok(swept)
}

/// The next few dead letters at or after a sequence.
pub(crate) async fn read(app: &App, from: u64) -> anyhow::Result<Vec<StreamMessage>> {
    let filter = envelope::catalogue::DEAD.filter();
    let mut batch = Vec::with_capacity(BATCH);
    let mut sequence = from;
    while batch.len() < BATCH {
        let stream = envelope::catalogue::DEAD.name;
        let Some(letter) = broker::next(&app.bus, stream, &filter, sequence).await? else {
            break;
        };
        sequence = letter.sequence + 1;
        batch.push(letter);
    }
    Ok(batch)
}

/// Those of the messages that name an erased person or image.
async fn about_erased(
    app: &App,
    messages: Vec<StreamMessage>,
) -> anyhow::Result<Vec<StreamMessage>> {
    let named: Vec<Vec<Uuid>> = messages.iter().map(ids_of).collect();
    let all: HashSet<Uuid> = named.iter().flatten().copied().collect();
    let all: Vec<Uuid> = all.into_iter().collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let mut work = app.database.begin().await?;
    let erased = work.erased_among(&all).await?;
    let under_way = erasures::fenced(&mut work).await?;
    drop(work);
    let goes = |message: &StreamMessage, id: &Uuid| {
        erased.contains(id) && !(is_of_erasure(message) && under_way.contains(id))
    };
    let named = messages.into_iter().zip(named);
    Ok(named
        .filter(|(message, ids)| ids.iter().any(|id| goes(message, id)))
        .map(|(message, _)| message)
        .collect())
}

/// A request that a service could not handle must stay to be replayed until that service is done.
fn is_of_erasure(message: &StreamMessage) -> bool {
    let subject = message.subject.as_str();
    let subject = subject.strip_prefix("dead.").unwrap_or(subject);
    subject.starts_with("gdpr.")
}

/// Every id that a message names: in its subject, its headers, its body.
pub(crate) fn ids_of(message: &StreamMessage) -> Vec<Uuid> {
    let mut ids = ids_in(message.subject.as_bytes());
    ids.extend(ids_in(&message.payload));
    for (_, values) in message.headers.iter() {
        ids.extend(
            values
                .iter()
                .flat_map(|value| ids_in(value.as_str().as_bytes())),
        );
    }
    ids
}

async fn erase(app: &App, letter: &StreamMessage) -> anyhow::Result<u64> {
    ensure!(replicas::are_here(app).await?, replicas::AWAY);
    // The original first: without the letter nobody would know of it.
    let original = erase_original(app, letter).await?;
    let dead = envelope::catalogue::DEAD.name;
    let copy = broker::erase(&app.bus, dead, letter.sequence).await?;
    Ok(u64::from(original) + u64::from(copy))
}

/// What cannot be read as an event is in no index: the letter alone knows its place.
async fn erase_original(app: &App, letter: &StreamMessage) -> anyhow::Result<bool> {
    let Some((stream, sequence)) = origin(letter) else {
        return Ok(false);
    };
    let Some(original) = broker::get(&app.bus, stream, sequence).await? else {
        return Ok(false);
    };
    // A letter's headers are what somebody wrote: only what names an erased person itself goes.
    let about_erased = about_erased(app, vec![original]).await;
    if about_erased.context("cannot ask the fence")?.is_empty() {
        return Ok(false);
    }
    broker::erase(&app.bus, stream, sequence).await
}

/// The stream that a letter came from, and the sequence there.
fn origin(letter: &StreamMessage) -> Option<(&'static str, u64)> {
    let stream = letter.headers.get(headers::ORIGIN_STREAM)?.as_str();
    let sequence = letter.headers.get(headers::ORIGIN_SEQUENCE)?.as_str();
    let stream = envelope::stream(stream)?.name;
    Some((stream, sequence.parse().ok()?))
}
