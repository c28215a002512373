//! The audit: what an outbox sent is compared with what every consumer has and with what the
//! stream has, and what is missing somewhere is brought there.
//!
//! A consumer's digests are compared first, and only where they differ is it asked for each event.
//! Two auditors at once, in two processes of a service, do no harm: they repair the same thing.

mod answers;
mod comparison;
pub(crate) mod digest;
mod gauges;
mod lost_answers;
mod questions;
mod readers;
mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use envelope::{Reading, Stream};

use crate::bus::Bus;
use crate::bus::streams::streams_of;
use crate::database::Database;
use crate::lifecycle::Lifecycle;
use crate::outbox::{presence, publish_again, times_published_again};
use crate::unit_of_work::source;
use comparison::{Compared, Comparison};
use store::{Due, Row};

pub use answers::{answers, stateless_answers};
pub use digest::{Bucket, Digest};
pub use questions::{Again, AnswerAgain, Audit, Digests, Findings, Unknown};
pub(crate) use readers::answered_in;

/// So many events are compared at a time.
const MOST_ROWS: i64 = 50_000;
/// So many are marked with one statement: others want to write as well.
const MARKED_AT_ONCE: usize = 500;
/// A consumer that lacks an event after so many times will not get it by one more: somebody has
/// to look.
const MOST_TIMES: u32 = 3;

/// When an auditor looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// So often.
    pub every: Duration,
    /// At what was sent so long ago: most of it has been handled by then.
    pub settled: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            settled: Duration::from_secs(10),
        }
    }
}

/// A service without a database had acknowledged so much, and its answers ended there.
#[derive(Clone, Copy, Debug, Default)]
struct Promise {
    passed: i64,
    answers_end: i64,
}

/// Who lacks which events, by their positions.
type Missing = BTreeMap<i64, BTreeSet<&'static str>>;

/// What came of a round.
#[derive(Debug, Default)]
struct Outcome {
    missing: Missing,
    /// What is to be published again.
    lacking: HashSet<i64>,
    undecided: HashSet<i64>,
}

impl Outcome {
    fn add(&mut self, reader: &'static str, compared: Compared) {
        self.undecided.extend(compared.undecided);
        for position in compared.lacks.iter().chain(&compared.unanswered) {
            self.missing.entry(*position).or_default().insert(reader);
        }
        self.lacking.extend(compared.lacks);
    }

    fn matches(&self, position: i64) -> bool {
        !self.missing.contains_key(&position) && !self.undecided.contains(&position)
    }
}

/// Audits what a service sends, until the stop.
pub async fn run(
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
    pace: Pace,
) -> anyhow::Result<()> {
    let (again, to, until) = (database.clone(), bus.clone(), lifecycle.clone());
    let restoring = lost_answers::keep_restoring(again, to, until, pace);
    tokio::try_join!(restoring, keep_auditing(database, bus, lifecycle, pace)).map(drop)
}

async fn keep_auditing(
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
    pace: Pace,
) -> anyhow::Result<()> {
    let producer = source(database.service());
    let mut auditor = Auditor {
        streams: streams_of(&producer),
        promises: HashMap::new(),
        database,
        bus,
        producer,
        pace,
    };
    while lifecycle.pause(pace.every).await {
        for stream in auditor.streams.clone() {
            if let Err(error) = auditor.audit_all(stream, &lifecycle).await {
                let (service, error) = (auditor.database.service(), format!("{error:#}"));
                tracing::debug!(
                    service,
                    error,
                    stream = stream.name,
                    "a stream cannot be audited now"
                );
            }
        }
        gauges::set(&auditor.database, &auditor.streams).await;
    }
    Ok(())
}

struct Auditor {
    database: Database,
    bus: Bus,
    producer: String,
    streams: Vec<&'static Stream>,
    pace: Pace,
    /// By reader and stream.
    promises: HashMap<(&'static str, &'static str), Promise>,
}

impl Auditor {
    async fn audit_all(
        &mut self,
        stream: &'static Stream,
        lifecycle: &Lifecycle,
    ) -> anyhow::Result<()> {
        // One round more while there is as much as fits into one, and it gets less.
        while self.audit(stream).await? && !lifecycle.is_stopping() {}
        Ok(())
    }

    /// One round. Says whether there may be more to match at once.
    async fn audit(&mut self, stream: &'static Stream) -> anyhow::Result<bool> {
        let Some(open) = presence::open(&self.bus, stream.name).await? else {
            return Ok(false);
        };
        let end = open.cached_info().state.last_sequence;
        let mut passed = BTreeMap::new();
        for reader in readers::readers_of(&self.producer, stream) {
            let sequence = readers::passed(&self.bus, reader, stream.name, end).await;
            passed.insert(reader, sequence);
        }
        let least = passed.values().min().copied();
        let rows = self.due(stream, least.unwrap_or(end.cast_signed())).await?;
        let mut outcome = Outcome::default();
        for (reader, passed) in passed {
            let compared = self.compare(stream, (reader, passed), &rows).await?;
            outcome.add(reader, compared);
        }
        let positions = rows.iter().map(|row| row.sent.position);
        let matched: Vec<i64> = positions.filter(|row| outcome.matches(*row)).collect();
        self.mark_matched(&matched).await?;
        if !outcome.missing.is_empty() {
            self.tell(stream, &outcome.missing).await?;
            self.repair(stream, &open, &rows, &outcome.lacking).await?;
        }
        let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= MOST_ROWS;
        Ok(is_full && !matched.is_empty())
    }

    async fn due(&self, stream: &Stream, passed: i64) -> anyhow::Result<Vec<Row>> {
        let settled = self.database.clock.now() - self.pace.settled;
        let due = Due {
            passed,
            sent_before: settled.timestamp_micros(),
            bucket: digest::bucket_of(settled),
            limit: MOST_ROWS,
        };
        let mut session = self.database.read().await?;
        Ok(store::unmatched(&mut session, stream.name, due).await?)
    }

    async fn compare(
        &mut self,
        stream: &'static Stream,
        (reader, passed): (&'static str, i64),
        rows: &[Row],
    ) -> anyhow::Result<Compared> {
        let answered = self.answered(stream, (reader, passed)).await?;
        if rows.is_empty() {
            return Ok(Compared::default());
        }
        let comparison = Comparison {
            database: &self.database,
            bus: &self.bus,
            producer: &self.producer,
            stream: stream.name,
            reader,
            answered,
        };
        comparison.run(rows).await
    }

    /// Up to which sequence a reader's answers must be here. It acknowledges after its answer is
    /// in its stream: once we are past what was the end of that stream then, we have it.
    async fn answered(
        &mut self,
        stream: &'static Stream,
        (reader, passed): (&'static str, i64),
    ) -> anyhow::Result<i64> {
        let own = self.database.service();
        let shares = envelope::reader(reader).is_some_and(|one| one.reading == Reading::Effect);
        let Some(answers) = readers::answers_from(reader, own).filter(|_| shares) else {
            return Ok(0);
        };
        let Some(open) = presence::open(&self.bus, answers.name).await? else {
            return Ok(0);
        };
        let end = open.cached_info().state.last_sequence;
        let heard = readers::passed(&self.bus, own, answers.name, end).await;
        let promise = self.promises.entry((reader, stream.name)).or_default();
        if heard < promise.answers_end {
            return Ok(0);
        }
        let kept = std::mem::replace(
            promise,
            Promise {
                passed,
                answers_end: end.cast_signed(),
            },
        );
        Ok(kept.passed)
    }

    async fn mark_matched(&self, positions: &[i64]) -> anyhow::Result<()> {
        for positions in positions.chunks(MARKED_AT_ONCE) {
            let mut work = self.database.begin_note().await?;
            store::mark_matched(&mut work, positions).await?;
            work.commit().await?;
        }
        Ok(())
    }

    /// Publishes again what consumers lack. If the stream lacks some of it, it may have lost more.
    async fn repair(
        &self,
        stream: &Stream,
        open: &async_nats::jetstream::stream::Stream,
        rows: &[Row],
        lacking: &HashSet<i64>,
    ) -> anyhow::Result<()> {
        let lacking = rows
            .iter()
            .filter(|row| lacking.contains(&row.sent.position));
        let lacking: Vec<_> = lacking.map(|row| row.sent.clone()).collect();
        let again = lacking
            .iter()
            .filter(|row| times_published_again(&row.message_id) < MOST_TIMES);
        let mut again: BTreeSet<i64> = again.map(|row| row.position).collect();
        let gone = presence::missing_in(&self.database, open, lacking).await?;
        if !gone.is_empty() {
            let subjects = format!("{}.%", stream.entity);
            again.extend(presence::sweep(&self.database, &subjects, open).await?);
        }
        let again: Vec<i64> = again.into_iter().collect();
        publish_again(&self.database, stream.name, &again).await?;
        Ok(())
    }

    async fn tell(&self, stream: &Stream, missing: &Missing) -> anyhow::Result<()> {
        let mut by_reader: BTreeMap<&str, usize> = BTreeMap::new();
        for reader in missing.values().flatten() {
            *by_reader.entry(reader).or_default() += 1;
        }
        for (consumer, events) in by_reader {
            let (service, stream) = (self.database.service(), stream.name);
            tracing::warn!(
                service,
                stream,
                consumer,
                events,
                "a consumer lacks events that were sent"
            );
        }
        let names = missing.iter().map(|(position, readers)| {
            let readers: Vec<&str> = readers.iter().copied().collect();
            (*position, readers.join(" "))
        });
        let mut work = self.database.begin().await?;
        store::mark_missing(&mut work, &names.collect()).await?;
        work.commit().await?;
        Ok(())
    }
}
