//! Events in the streams, the newest first. Streams are read backwards, sequence by sequence: of each search only so
//! many messages are read, and the next part goes on from there.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetError, DirectGetErrorKind, Stream};
use chassis::bus::{Bus, without_key};
use chrono::{DateTime, Utc};
use envelope::{Contract, Decoded, decode};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::watch::{self, BrokerError};

/// So many messages are read for one part of a list.
const MOST_LOOKS: u64 = 1000;
/// So many are asked for at a time of one stream.
const CHUNK: u64 = 50;
/// So many questions are under way at a time.
const AT_ONCE: usize = 16;

/// Which events are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// In these streams.
    pub(crate) streams: Vec<&'static envelope::Stream>,
    /// Of this kind: `rate.update`.
    pub(crate) event: Option<String>,
    /// Stored then or later.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Stored before.
    pub(crate) to: Option<DateTime<Utc>>,
}

/// An event in a stream.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// In which stream.
    pub(crate) stream: &'static str,
    /// Its sequence there.
    pub(crate) sequence: u64,
    /// When it was stored.
    pub(crate) stored_at: DateTime<Utc>,
    /// What kind of event it is, without its key: `rate.update.v2`.
    pub(crate) name: String,
    /// The event, if it keeps its contract.
    pub(crate) decoded: Option<Box<Decoded>>,
}

/// Where each stream is read on: `TICK-17.RATE-4` are below these sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places(Vec<(&'static str, u64)>);

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.0.iter();
        let texts: Vec<_> = places
            .map(|(stream, below)| format!("{stream}-{below}"))
            .collect();
        f.write_str(&texts.join("."))
    }
}

impl FromStr for Places {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let places = text.split('.').map(|place| {
            let (stream, below) = place.split_once('-')?;
            Some((envelope::stream(stream)?.name, below.parse().ok()?))
        });
        places.collect::<Option<_>>().map(Self).ok_or(())
    }
}

/// A stream on its way back.
struct Backwards<'w> {
    wanted: &'w Wanted,
    name: &'static str,
    stream: Stream,
    /// Nothing is before it.
    first: u64,
    /// All from here on was read.
    below: u64,
    /// What was read and not passed yet, the newest first.
    read: VecDeque<Look>,
}

/// A message that was looked at.
struct Look {
    sequence: u64,
    stored_at: DateTime<Utc>,
    found: Option<Found>,
}

/// At most so many wanted events, the newest first, and where to read on; `None` when there are no more.
pub(crate) async fn newest(
    bus: &Bus,
    wanted: &Wanted,
    after: Option<&Places>,
    limit: usize,
) -> Result<(Vec<Found>, Option<Places>), BrokerError> {
    let opened = wanted
        .streams
        .iter()
        .map(|declared| Backwards::open(bus, wanted, declared, after));
    let mut streams = futures::future::try_join_all(opened).await?;
    let mut found = Vec::new();
    let mut looks = MOST_LOOKS;
    while found.len() < limit {
        for one in &mut streams {
            one.fill(&mut looks).await?;
        }
        // The newest of all is known only when each stream has shown its newest.
        if streams.iter().any(Backwards::is_unknown) {
            break;
        }
        let newest = streams
            .iter_mut()
            .filter(|one| !one.read.is_empty())
            .max_by_key(|one| one.read.front().map(|look| look.stored_at));
        let Some(look) = newest.and_then(|one| one.read.pop_front()) else {
            return Ok((found, None));
        };
        found.extend(look.found);
    }
    Ok((found, places(&streams)))
}

fn places(streams: &[Backwards<'_>]) -> Option<Places> {
    let goes_on = streams.iter().any(|one| !one.is_done());
    let places = streams.iter().map(|one| (one.name, one.reached()));
    goes_on.then(|| Places(places.collect()))
}

impl<'w> Backwards<'w> {
    async fn open(
        bus: &Bus,
        wanted: &'w Wanted,
        declared: &'static envelope::Stream,
        after: Option<&Places>,
    ) -> Result<Self, BrokerError> {
        let stream = watch::open(bus, declared.name).await?;
        let state = &stream.cached_info().state;
        // A stream that never held anything says that its first is the nought.
        let (first, end) = (state.first_sequence.max(1), state.last_sequence + 1);
        let known = after.and_then(|places| {
            let mut places = places.0.iter();
            places.find(|(name, _)| *name == declared.name)
        });
        let below = match (known, wanted.to) {
            (Some((_, below)), _) => (*below).min(end),
            (None, Some(to)) => first_from(&stream, declared, first..end, to).await?,
            (None, None) => end,
        };
        Ok(Self {
            wanted,
            name: declared.name,
            stream,
            first,
            below,
            read: VecDeque::new(),
        })
    }

    /// Reads on, if there is nothing to show and anything left.
    async fn fill(&mut self, looks: &mut u64) -> Result<(), BrokerError> {
        while self.read.is_empty() && self.first < self.below && *looks > 0 {
            let many = CHUNK.min(*looks).min(self.below - self.first);
            let from = self.below - many;
            let stream = &self.stream;
            let read: Vec<Option<StreamMessage>> = stream::iter((from..self.below).rev())
                .map(async |sequence| there(self.name, stream.direct_get(sequence).await))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            *looks -= many;
            self.below = from;
            self.take(read.into_iter().flatten());
        }
        Ok(())
    }

    /// Keeps what is wanted of what was read; before the wanted time nothing is.
    fn take(&mut self, read: impl Iterator<Item = StreamMessage>) {
        for message in read {
            if self.wanted.from.is_some_and(|from| message.time < from) {
                self.below = self.first;
                return;
            }
            self.read.push_back(self.look(&message));
        }
    }

    fn look(&self, message: &StreamMessage) -> Look {
        let name = without_key(&message.subject);
        let is_wanted = self.wanted.event.as_ref().is_none_or(|event| {
            let rest = name.strip_prefix(event.as_str());
            rest.is_some_and(|rest| rest.starts_with('.'))
        });
        let found = is_wanted.then(|| Found {
            stream: self.name,
            sequence: message.sequence,
            stored_at: message.time,
            name,
            decoded: decode(&message.subject, &message.payload)
                .ok()
                .map(Box::new),
        });
        Look {
            sequence: message.sequence,
            stored_at: message.time,
            found,
        }
    }

    /// Whether there is more of it, and none of that was read.
    fn is_unknown(&self) -> bool {
        self.read.is_empty() && self.first < self.below
    }

    fn is_done(&self) -> bool {
        self.read.is_empty() && self.first >= self.below
    }

    /// Everything from this sequence on was passed.
    fn reached(&self) -> u64 {
        let next = self.read.front().map(|look| look.sequence + 1);
        next.unwrap_or(self.below)
    }
}

/// The first sequence of those that was stored at a time or later: halves what is left, step by step.
async fn first_from(
    stream: &Stream,
    declared: &'static envelope::Stream,
    sequences: std::ops::Range<u64>,
    time: DateTime<Utc>,
) -> Result<u64, BrokerError> {
    let (mut low, mut high) = (sequences.start, sequences.end);
    while low < high {
        let middle = low + (high - low) / 2;
        let next = stream
            .direct_get_next_for_subject(declared.filter(), Some(middle))
            .await;
        match there(declared.name, next)? {
            Some(message) if message.time < time => low = message.sequence + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// What was deleted or is too old is simply not there.
fn there(
    name: &'static str,
    got: Result<StreamMessage, DirectGetError>,
) -> Result<Option<StreamMessage>, BrokerError> {
    match got {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(BrokerError::new(name, error)),
    }
}

impl Found {
    /// What the catalogue says about it, if it keeps its contract.
    pub(crate) fn contract(&self) -> Option<&'static Contract> {
        self.decoded.as_ref().map(|decoded| decoded.contract)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back_as_they_are_written() {
        let places = Places(vec![("TICK", 17), ("RATE", 4)]);
        assert_eq!(places.to_string().parse(), Ok(places));
        for wrong in ["", "TICK", "TICK-x", "NOBODY-1", "TICK-1."] {
            assert_eq!(wrong.parse::<Places>(), Err(()), "{wrong}");
        }
    }
}
