//! Chains of events: an event, what led to it, and what followed from it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use envelope::catalogue::DEAD;
use envelope::{Envelope, STREAMS};
use futures::TryStreamExt as _;
use serde_json::Value;
use uuid::Uuid;

use crate::bus::reading::messages;
use crate::bus::{Bus, without_key};

/// Who waits longer wants to see that something goes on.
const TELL_EVERY: usize = 100_000;

/// Events by their ids.
pub type Chain = BTreeMap<Uuid, Kept>;

/// An event as a stream keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What kind of event it is, without its key: `rate.update.v2`.
    pub name: String,
    /// In words: `RATE at 17`.
    pub place: String,
    /// The event.
    pub envelope: Envelope<Value>,
}

/// The event and all that share its correlation. Reads every stream from its beginning: for
/// people, not for programs. Tells now and then how many events it has looked at.
pub async fn of(bus: &Bus, event: Uuid, progress: impl Fn(usize)) -> anyhow::Result<Chain> {
    let found = read(bus, event, &progress).await?;
    let kept = found.get(&event);
    let correlation = kept.and_then(|kept| kept.envelope.metadata.correlationid);
    match correlation {
        Some(other) if other != event => read(bus, other, &progress).await,
        _ => Ok(found),
    }
}

/// All events with this id or correlation.
async fn read(bus: &Bus, wanted: Uuid, progress: &impl Fn(usize)) -> anyhow::Result<Chain> {
    let mut found = Chain::new();
    let mut looked_at = 0;
    for declared in STREAMS.iter().filter(|stream| stream.name != DEAD.name) {
        let stream = bus.jetstream().get_stream(declared.name).await;
        let stream = stream.with_context(|| format!("cannot read {}", declared.name))?;
        if stream.cached_info().state.messages == 0 {
            continue;
        }
        let state = &stream.cached_info().state;
        let sequences = state.first_sequence..=state.last_sequence;
        let mut messages = std::pin::pin!(messages(&stream, sequences));
        while let Some(message) = messages.try_next().await? {
            looked_at += 1;
            if looked_at % TELL_EVERY == 0 {
                progress(looked_at);
            }
            let place = format!("{} at {}", declared.name, message.sequence);
            if let Some(kept) = kept(&message.subject, &message.payload, place, wanted) {
                found.insert(kept.envelope.id.0, kept);
            }
        }
    }
    Ok(found)
}

fn kept(subject: &str, body: &[u8], place: String, wanted: Uuid) -> Option<Kept> {
    let envelope: Envelope<Value> = serde_json::from_slice(body).ok()?;
    let belongs = envelope.id.0 == wanted || envelope.metadata.correlationid == Some(wanted);
    belongs.then(|| Kept {
        name: without_key(subject),
        place,
        envelope,
    })
}
