//! Re-drive: what a stream has lost is published again from the rows that are kept. A stream may
//! be made anew, lose its end in a power failure, come back from a backup,
//! or have a damaged store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{presence, publish_again};
use crate::bus::Bus;
use crate::bus::streams::streams_sent_to;
use crate::database::{Database, DatabaseError, Sql};
use crate::fault;
use crate::lifecycle::Lifecycle;
use crate::sql;
use crate::unit_of_work::source;

const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How soon after a check that failed: events wait for it.
const CHECK_AGAIN: Duration = Duration::from_millis(500);
/// Messages leave a stream by an erasure as well: not each of them is looked after at once.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

const LOST: &str = "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
    WHERE sent_at IS NOT NULL AND subject LIKE $1 AND (incarnation <> $2 OR stream_sequence > $3)";
const UNSEND: Sql = Sql {
    sqlite: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
             WHERE position IN (SELECT value FROM json_each($1))",
    postgres: "UPDATE outbox SET sent_at = NULL, stream_sequence = NULL, incarnation = NULL
               WHERE position IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};

/// When the streams were made, in microseconds since 1970, as far as is known; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnations(Arc<Mutex<HashMap<&'static str, i64>>>);

impl Incarnations {
    /// When the stream of this subject was made; 0 while nobody has asked.
    pub fn of(&self, subject: &str) -> i64 {
        let entity = subject.split('.').next().unwrap_or_default();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(entity).copied().unwrap_or_default()
    }

    fn set(&self, entity: &'static str, made: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(entity, made);
    }
}

/// What was seen of a stream last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    made: i64,
    last_sequence: u64,
    /// How many messages are gone from it that did not end by their age.
    holes: u64,
    swept_at: Instant,
}

impl Seen {
    fn of(stream: &Stream) -> Self {
        let info = stream.cached_info();
        let (state, is_kept) = (&info.state, info.config.max_age.is_zero());
        let ended = state.first_sequence.saturating_sub(1);
        let offered = state.last_sequence - if is_kept { 0 } else { ended };
        Self {
            made: info.created.timestamp_micros(),
            last_sequence: state.last_sequence,
            holes: offered.saturating_sub(state.messages),
            swept_at: Instant::now(),
        }
    }

    fn is_continued_by(&self, now: &Self) -> bool {
        self.made == now.made && self.last_sequence <= now.last_sequence
    }
}

/// Compares what was sent with what the streams have, until the process stops.
pub(crate) struct Redrive {
    database: Database,
    bus: Bus,
    incarnations: Incarnations,
    streams: Vec<&'static envelope::Stream>,
    seen: HashMap<&'static str, Seen>,
}

impl Redrive {
    pub fn new(database: Database, bus: Bus, incarnations: Incarnations) -> Self {
        let streams = streams_sent_to(&source(database.service()));
        Self {
            database,
            bus,
            incarnations,
            streams,
            seen: HashMap::new(),
        }
    }

    /// Checks now and then, and whenever the broker is there again; tells up to which connection.
    pub async fn run(
        mut self,
        lifecycle: Lifecycle,
        checked: watch::Sender<Option<u64>>,
    ) -> anyhow::Result<()> {
        let mut connections = self.bus.connections();
        while !lifecycle.is_stopping() {
            let connection = *connections.borrow_and_update();
            let pause = match self.check().await {
                Ok(()) => {
                    checked.send_replace(Some(connection));
                    CHECK_EVERY
                }
                Err(error) => {
                    let (service, error) = (self.database.service(), format!("{error:#}"));
                    tracing::debug!(service, error, "the streams cannot be compared now");
                    CHECK_AGAIN
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // A server that was away may have come back with less.
                _ = connections.changed() => self.seen.clear(),
                () = lifecycle.stopped() => {}
            }
        }
        Ok(())
    }

    async fn check(&mut self) -> anyhow::Result<()> {
        for declared in self.streams.clone() {
            let Some(stream) = presence::open(&self.bus, declared.name).await? else {
                continue;
            };
            let mut now = Seen::of(&stream);
            self.incarnations.set(declared.entity, now.made);
            match self.seen.get(declared.name) {
                _ if fault::is("no-redrive") => {}
                Some(before) if before.is_continued_by(&now) => {
                    if now.holes <= before.holes || before.swept_at.elapsed() < SWEEP_EVERY {
                        now.holes = before.holes;
                        now.swept_at = before.swept_at;
                    } else {
                        self.fill_holes(declared, &stream).await?;
                    }
                }
                _ => {
                    self.publish_lost(declared, &stream, now).await?;
                    self.fill_holes(declared, &stream).await?;
                }
            }
            self.seen.insert(declared.name, now);
        }
        Ok(())
    }

    /// Publishes what the stream has lost in its midst: a block of its store may be gone, cut
    /// short or damaged.
    async fn fill_holes(&self, declared: &envelope::Stream, stream: &Stream) -> anyhow::Result<()> {
        let subjects = format!("{}.%", declared.entity);
        let missing = presence::sweep(&self.database, &subjects, stream).await?;
        let again = publish_again(&self.database, declared.name, &missing).await?;
        self.tell(declared, again);
        Ok(())
    }

    fn tell(&self, declared: &envelope::Stream, lost: u64) {
        if lost == 0 {
            return;
        }
        let service = self.database.service();
        metrics::counter!("dipper_events_redriven_total", "service" => service, "stream" => declared.name.to_owned())
            .increment(lost);
        tracing::warn!(
            service,
            stream = declared.name,
            lost,
            "the stream has lost events; they are published again"
        );
        self.database.outbox_filled.notify_one();
    }

    /// Marks as unsent what the stream does not have, and wakes the relay.
    async fn publish_lost(
        &self,
        declared: &envelope::Stream,
        stream: &Stream,
        now: Seen,
    ) -> anyhow::Result<()> {
        let subjects = format!("{}.%", declared.entity);
        let mut work = self.database.begin().await?;
        let end = now.last_sequence.cast_signed();
        let mut lost = sql!(work, c => sqlx::query(LOST).bind(&subjects).bind(now.made).bind(end)
            .execute(c).await.map(|done| done.rows_affected()))
        .map_err(DatabaseError::from)?;
        work.commit().await?;
        lost += self.unsend_from_the_end(&subjects, stream).await?;
        self.tell(declared, lost);
        Ok(())
    }

    /// Other events may have got the sequences of those that were lost.
    async fn unsend_from_the_end(&self, subjects: &str, stream: &Stream) -> anyhow::Result<u64> {
        let (mut before, mut lost) = (i64::MAX, 0);
        loop {
            let block = presence::block(&self.database, subjects, before).await?;
            let Some(oldest) = block.last() else {
                return Ok(lost);
            };
            before = oldest.position;
            let missing = presence::missing_in(&self.database, stream, block).await?;
            if missing.is_empty() {
                return Ok(lost);
            }
            lost += missing.len() as u64;
            let mut work = self.database.begin().await?;
            work.write_rows(UNSEND, missing).await?;
            work.commit().await?;
        }
    }
}
