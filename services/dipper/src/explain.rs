//! `dipper explain`: who produced an event, who handled it, where it is now, what followed from it.

use anyhow::bail;
use chassis::bus::Bus;
use chassis::deliveries::chain::{self, Chain};
use chassis::deliveries::{Known, Status, WhatOf};
use chassis::rpc::ask_service;
use chassis::settings::Settings;
use chrono::{DateTime, SecondsFormat, Utc};
use envelope::{READERS, readers_of};
use futures::future::join_all;
use uuid::Uuid;

use crate::{complain, say};

/// What the services know of one event; `None` for one that does not answer.
type Answers = Vec<(&'static str, Option<Known>)>;

/// Prints all that is known of an event.
pub(crate) async fn run(settings: &Settings, event: Uuid) -> anyhow::Result<()> {
    let bus = Bus::connect(&settings.broker_of_instance("operator")?, "operator").await?;
    let progress = |events: usize| complain(&format!("looked at {events} events"));
    let chain = chain::of(&bus, event, progress).await?;
    let known = ask_all(&bus, event).await;
    let is_known = known
        .iter()
        .filter_map(|(_, known)| known.as_ref())
        .any(Known::is_something);
    if !chain.contains_key(&event) && !is_known {
        bail!(
            "no stream and no service knows the event {event}: it never was, its time is over, or somebody in it was erased"
        );
    }
    Box::pin(tell(&bus, &chain, event, 0)).await;
    bus.close().await;
    Ok(())
}

async fn ask_all(bus: &Bus, event: Uuid) -> Answers {
    let question = WhatOf { event };
    let asked = READERS.iter().map(|reader| async {
        let known = ask_service(bus, reader.service, &question).await;
        (reader.service, known.ok())
    });
    join_all(asked).await
}

/// Tells of an event and, further in, of those that it caused.
async fn tell(bus: &Bus, chain: &Chain, event: Uuid, depth: usize) {
    let margin = "    ".repeat(depth);
    let known = ask_all(bus, event).await;
    let kept = chain.get(&event);
    let unsent = known
        .iter()
        .find_map(|(_, known)| known.as_ref()?.produced.as_ref());
    let name = kept.map(|kept| kept.name.clone());
    let name = name.or_else(|| unsent.map(|produced| produced.event.clone()));
    let name = name.unwrap_or_else(|| "event".to_owned());
    say(&format!("{margin}{name} {event}"));
    match (kept, unsent) {
        (Some(kept), _) => {
            let metadata = &kept.envelope.metadata;
            say(&format!(
                "{margin}  produced by {} at {}, version {}, now in {}",
                metadata.source,
                time(metadata.time),
                kept.envelope.version,
                kept.place
            ));
        }
        (None, Some(_)) => say(&format!("{margin}  waits in its producer's outbox")),
        (None, None) => say(&format!("{margin}  is in no stream any more")),
    }
    for line in handled(&name, &known) {
        say(&format!("{margin}  {line}"));
    }
    let followed = chain
        .values()
        .filter(|kept| kept.envelope.metadata.causationid == Some(event));
    for next in followed {
        Box::pin(tell(bus, chain, next.envelope.id.0, depth + 1)).await;
    }
}

/// A line for each service that reads such events.
fn handled(name: &str, known: &Answers) -> Vec<String> {
    let readers = readers_of(name);
    let of_readers = known.iter().filter(|(service, known)| {
        readers.contains(service)
            || known
                .as_ref()
                .is_some_and(|known| known.handled_at.is_some())
    });
    of_readers
        .map(|(service, known)| format!("{service:<12} {}", state(known.as_ref())))
        .collect()
}

fn state(known: Option<&Known>) -> String {
    let Some(known) = known else {
        return "does not answer".to_owned();
    };
    if let Some(parked) = known.parked.first() {
        let behind = match parked.behind {
            0 => String::new(),
            many => format!("; {many} wait behind it"),
        };
        return match parked.status {
            Status::Unprocessed => "UNPROCESSED: waits behind another event of its key".to_owned(),
            status => format!(
                "{}: {} ({}), {} attempts{behind}",
                word(status),
                parked.detail,
                parked.reason,
                parked.attempts
            ),
        };
    }
    match known.handled_at.and_then(DateTime::from_timestamp_micros) {
        Some(at) => format!("COMPLETED at {}", time(at)),
        None if known.is_stateless => "keeps no record".to_owned(),
        None => "UNPROCESSED".to_owned(),
    }
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Unprocessed => "UNPROCESSED",
        Status::InProgress => "IN_PROGRESS",
        Status::Completed => "COMPLETED",
        Status::Error => "ERROR",
        Status::Retry => "RETRY",
        Status::Failed => "FAILED",
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
