//! The same answers for a service without a database: its dead letters are those in the stream
//! DEAD, and leave it when somebody has decided.

use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use chrono::{DateTime, Utc};
use envelope::catalogue::DEAD;
use envelope::consumed_by;

use super::answers::{add_what_the_broker_holds, none_of};
use super::latency::{self, HowFast, Latency};
use super::{
    Counts, HowMany, Inspect, Inspected, Known, Parked, Place, Replay, Replayed, Skip, Status,
    WhatOf, Which, fingerprint,
};
use crate::bus::{Bus, without_key};
use crate::consumers::dead::headers;
use crate::consumers::offered::{self, Offered};
use crate::consumers::{BoundEffects, Failure};
use crate::rpc::{Answers, BoundAnswers, Refusal};

/// What the subjects of dead letters begin with.
const PREFIX: &str = "dead.";
/// How many letters are looked at for one answer.
const MOST_LOOKS: usize = 1000;

struct Parts {
    service: &'static str,
    bus: Bus,
    effects: BoundEffects,
}

type App = Arc<Parts>;

/// The answers of a service that only answers events with events.
pub(crate) fn answers(service: &'static str, bus: &Bus, effects: BoundEffects) -> BoundAnswers {
    let parts = Parts {
        service,
        bus: bus.clone(),
        effects,
    };
    Answers::new()
        .on_common(service, how_many)
        .on_common(service, how_fast)
        .on_common(service, which)
        .on_common(service, inspect)
        .on_common(service, what_of)
        .on_common(service, replay)
        .on_common(service, skip)
        .with_state(Arc::new(parts))
}

fn internal(error: &anyhow::Error) -> Refusal {
    Refusal::internal(&format!("{error:#}"))
}

async fn how_many(app: App, _: HowMany) -> Result<Vec<Counts>, Refusal> {
    let letters = app.letters(1).await.map_err(|error| internal(&error))?;
    let now = Utc::now();
    let mut all: Vec<Counts> = Vec::new();
    for contract in consumed_by(app.service) {
        let stream = contract.stream.name;
        if all.iter().any(|counts| counts.stream == stream) {
            continue;
        }
        let mut counts = none_of(stream);
        let ours = letters
            .iter()
            .filter(|letter| text(letter, headers::ORIGIN_STREAM) == stream);
        for letter in ours {
            counts.failed += 1;
            let age = (now - letter.time).num_seconds().max(0);
            counts.oldest_seconds = counts.oldest_seconds.max(Some(age));
        }
        let taken = add_what_the_broker_holds(&mut counts, app.service, &app.bus).await;
        counts.completed = (taken - counts.failed).max(0);
        all.push(counts);
    }
    Ok(all)
}

async fn which(app: App, question: Which) -> Result<Vec<Parked>, Refusal> {
    if question
        .status
        .is_some_and(|status| status != Status::Failed)
    {
        return Ok(Vec::new());
    }
    let from = question
        .after
        .map_or(1, |after| after.sequence.unsigned_abs() + 1);
    let letters = app.letters(from).await.map_err(|error| internal(&error))?;
    let limit = usize::try_from(question.limit).unwrap_or_default();
    Ok(letters
        .iter()
        .take(limit)
        .map(|letter| parked(app.service, letter))
        .collect())
}

async fn how_fast(app: App, _: HowFast) -> Result<Latency, Refusal> {
    Ok(latency::of(app.service))
}

async fn inspect(app: App, question: Inspect) -> Result<Option<Inspected>, Refusal> {
    let letter = app.letter(&question.place).await;
    let letter = letter.map_err(|error| internal(&error))?;
    Ok(letter.map(|letter| Inspected::new(parked(app.service, &letter), &letter.payload)))
}

async fn what_of(_: App, _: WhatOf) -> Result<Known, Refusal> {
    Ok(Known {
        is_stateless: true,
        ..Known::default()
    })
}

async fn replay(app: App, question: Replay) -> Result<Replayed, Refusal> {
    let replayed = app.replay(&question.place).await;
    replayed.map_err(|error| internal(&error))
}

async fn skip(app: App, question: Skip) -> Result<bool, Refusal> {
    let skipped = app.bury(&question.place).await;
    skipped.map_err(|error| internal(&error))
}

impl Parts {
    /// Our dead letters from a sequence on.
    async fn letters(&self, from: u64) -> anyhow::Result<Vec<StreamMessage>> {
        let stream = self.stream().await?;
        let mut letters = Vec::new();
        let mut next = from;
        for _ in 0..MOST_LOOKS {
            let found = stream
                .direct_get_next_for_subject(DEAD.filter(), Some(next))
                .await;
            let Some(letter) = there(found)? else {
                break;
            };
            next = letter.sequence + 1;
            if text(&letter, headers::CONSUMER) == self.service {
                letters.push(letter);
            }
        }
        Ok(letters)
    }

    async fn letter(&self, place: &Place) -> anyhow::Result<Option<StreamMessage>> {
        let sequence = place.sequence.unsigned_abs();
        let found = there(self.stream().await?.direct_get(sequence).await)?;
        Ok(found.filter(|letter| text(letter, headers::CONSUMER) == self.service))
    }

    async fn replay(&self, place: &Place) -> anyhow::Result<Replayed> {
        let Some(letter) = self.letter(place).await? else {
            return Ok(Replayed::Completed);
        };
        let subject = letter.subject.as_str();
        let subject = subject.strip_prefix(PREFIX).unwrap_or(subject).to_owned();
        let origin = offered::Place {
            incarnation: 0,
            sequence: text(&letter, headers::ORIGIN_SEQUENCE)
                .parse()
                .unwrap_or_default(),
        };
        let offered = Offered::new(origin, subject, letter.headers, letter.payload);
        let failed = |reason: &str, detail: String| Replayed::Failed {
            reason: reason.to_owned(),
            detail,
        };
        let stream = envelope::stream(&place.stream).unwrap_or(&DEAD).name;
        match self.effects.try_once(&self.bus, stream, &offered).await {
            Ok(()) | Err(Failure::Erased) => {
                self.bury(place).await?;
                Ok(Replayed::Completed)
            }
            Err(failure) => Ok(failed(failure.word(), failure.to_string())),
        }
    }

    /// Takes a letter out of the stream. False when it is not there.
    async fn bury(&self, place: &Place) -> anyhow::Result<bool> {
        if self.letter(place).await?.is_none() {
            return Ok(false);
        }
        let deleted = self
            .stream()
            .await?
            .delete_message(place.sequence.unsigned_abs())
            .await;
        deleted.context("cannot delete a dead letter")
    }

    async fn stream(&self) -> anyhow::Result<Stream<()>> {
        let stream = self.bus.jetstream().get_stream_no_info(DEAD.name).await;
        stream.context("cannot reach the stream of dead letters")
    }
}

fn there(
    found: Result<StreamMessage, async_nats::jetstream::stream::DirectGetError>,
) -> anyhow::Result<Option<StreamMessage>> {
    match found {
        Ok(letter) => Ok(Some(letter)),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("cannot read a dead letter"),
    }
}

fn text<'l>(letter: &'l StreamMessage, name: &str) -> &'l str {
    letter.headers.get(name).map_or("", |value| value.as_str())
}

fn parked(service: &str, letter: &StreamMessage) -> Parked {
    let subject = letter.subject.as_str();
    let event = without_key(subject.strip_prefix(PREFIX).unwrap_or(subject));
    let reason = text(letter, headers::REASON).to_owned();
    let detail = text(letter, headers::DETAIL).to_owned();
    let died_at: DateTime<Utc> = letter.time;
    Parked {
        place: Place {
            stream: DEAD.name.to_owned(),
            incarnation: 0,
            sequence: letter.sequence.cast_signed(),
        },
        fingerprint: fingerprint(service, &event, &reason, &detail),
        event,
        event_id: None,
        status: Status::Failed,
        reason,
        detail,
        attempts: text(letter, headers::ATTEMPTS).parse().unwrap_or(1),
        behind: 0,
        due_at: None,
        parked_at: died_at.timestamp_micros(),
    }
}
