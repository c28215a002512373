//! A stream, read into the generation that is being built, up to where the live one is.

use async_nats::jetstream::Message;
use tokio::sync::mpsc;

use super::keeper::{Run, Stop};
use crate::consumers::attempt::{Attempts, Interruption, Item, Source};
use crate::consumers::offered::{Offered, Place};
use crate::consumers::progress::{Checkpoint, Tally};
use crate::consumers::pull::{Pulled, RETRY_READING, Subscription};
use crate::database::{Database, DatabaseError};
use crate::unit_of_work::Work;

/// The most events in one transaction, and fetched at a time.
pub(super) const BATCH: usize = 8192;
/// So often reading may be interrupted without an event in between.
const MOST_INTERRUPTIONS: u32 = 20;

/// Reads one stream.
pub(super) struct Reader {
    pub from: Subscription,
    /// In the generation that is being built.
    pub attempts: Attempts,
    pub epoch: i64,
}

/// An event that was fetched, if it is to be read, and whether none comes after it.
struct Fetched {
    item: Option<Item>,
    is_last: bool,
}

/// Why nothing more comes.
enum Broken {
    Interrupted(anyhow::Error),
    Stop(Stop),
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        Self::Interrupted(error)
    }
}

impl From<DatabaseError> for Broken {
    fn from(error: DatabaseError) -> Self {
        Self::Stop(error.into())
    }
}

impl From<Stop> for Broken {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Reader {
    /// Begins at the stream's first message.
    pub async fn begin(&self, work: &mut Work, live: &Database) -> Result<(), DatabaseError> {
        if let Some(to) = self.target(live).await? {
            self.attempts.lot.begin(work, to.incarnation).await?;
        }
        Ok(())
    }

    /// Where the live generation is now, if it ever began.
    pub async fn target(&self, live: &Database) -> Result<Option<Checkpoint>, DatabaseError> {
        self.attempts.lot.checkpoint(&mut live.read().await?).await
    }

    /// Reads up to a place of the live generation's; the broker may go away and come back meanwhile.
    pub async fn read(&self, to: Checkpoint, run: &mut Run) -> Result<(), Stop> {
        let mut interruptions = 0;
        loop {
            let before = run.events();
            let error = match self.read_on(to, run).await {
                Ok(()) => return Ok(()),
                Err(Broken::Stop(stop)) => return Err(stop),
                Err(Broken::Interrupted(error)) => error,
            };
            interruptions = if run.events() > before {
                1
            } else {
                interruptions + 1
            };
            if interruptions > MOST_INTERRUPTIONS {
                return Err(Stop::Failed(format!("{error:#}")));
            }
            self.from
                .warn("a rebuild was interrupted; it reads on", &error);
            self.from.lifecycle.pause(RETRY_READING).await;
            run.tell().await?;
        }
    }

    async fn read_on(&self, to: Checkpoint, run: &mut Run) -> Result<(), Broken> {
        let (lot, database) = (self.attempts.lot, &self.attempts.database);
        let at = lot.checkpoint(&mut database.read().await?).await?;
        let at = at.map_or(0, |at| at.sequence);
        if at < to.sequence {
            if self.from.incarnation().await? != to.incarnation {
                let why = format!("the stream {} was made anew", lot.stream);
                return Err(Stop::Failed(why).into());
            }
            let consumer = self.from.begin_beside(at.unsigned_abs() + 1).await?;
            if consumer.cached_info().num_pending > 0 {
                let (sender, fetched) = mpsc::channel(BATCH);
                let make = |message| self.make(message, to);
                tokio::select! {
                    outcome = self.from.fetch(&consumer, BATCH, sender, make) => outcome?,
                    outcome = self.handle_all(fetched, run) => outcome?,
                }
            }
        }
        // The message there may be erased, or too old to be kept.
        let mut work = database.begin().await?;
        if lot.checkpoint(&mut work).await?.is_none() {
            lot.begin(&mut work, to.incarnation).await?;
        }
        lot.advance(&mut work, to, Tally::default()).await?;
        work.commit().await?;
        run.note(lot.stream, to.sequence.unsigned_abs(), 0).await?;
        Ok(())
    }

    async fn handle_all(
        &self,
        mut fetched: mpsc::Receiver<Pulled<Fetched>>,
        run: &mut Run,
    ) -> Result<(), Broken> {
        let mut chunk = Vec::new();
        loop {
            if fetched.recv_many(&mut chunk, run.batch()).await == 0 {
                return Err(anyhow::anyhow!("the pull ended").into());
            }
            let (mut items, mut is_last) = (Vec::with_capacity(chunk.len()), false);
            for fetched in chunk.drain(..) {
                let fetched = fetched?;
                items.extend(fetched.item);
                is_last |= fetched.is_last;
            }
            let events = items.len();
            let at = items.last().map(|item| item.offered.place.sequence);
            let source = Source::Projection { epoch: self.epoch };
            let outcome = self.attempts.handle(items, source).await;
            outcome.map_err(|why| Stop::Failed(reason(&why)))?;
            if let Some(at) = at {
                run.note(self.from.stream, at, events).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// A message's event, if it is one to be read up to a place.
    fn make(&self, message: Message, to: Checkpoint) -> Pulled<Fetched> {
        let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
        let (sequence, last) = (info.stream_sequence, to.sequence.unsigned_abs());
        let stored_at = info.published.timestamp_nanos_opt().unwrap_or_default();
        let is_last = sequence >= last || info.pending == 0;
        let place = Place {
            incarnation: to.incarnation,
            sequence,
        };
        let is_wanted = sequence <= last && self.from.wants(&message.subject);
        let item = is_wanted.then(|| Item::new(Offered::at(place, message.message), stored_at));
        Ok(Fetched { item, is_last })
    }
}

fn reason(why: &Interruption) -> String {
    match why {
        Interruption::Built(why) => format!("an event could not be handled: {why}"),
        other => other.to_string(),
    }
}
