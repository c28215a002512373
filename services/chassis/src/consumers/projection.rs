//! Projections: one worker at a time reads a stream in its order, from its own checkpoint on.

use anyhow::{Context as _, ensure};
use async_nats::jetstream::Message;
use async_nats::jetstream::message::Acker;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::attempt::{Attempts, Item, Outcome, Source};
use super::lease::{self, Epoch};
use super::offered::{Offered, Place};
use super::pull::{Pulled, Subscription};
use super::retry::Retries;
use crate::fault;

/// The most events in one transaction. Ids are random, so that a large batch changes most pages of
/// an index: a batch four times as large costs little more.
const BATCH: usize = 8192;

/// How many messages are asked for at a time.
const PULL: usize = 1024;
/// How many messages are fetched ahead.
const AHEAD: usize = BATCH;

/// The worker of a service on one stream.
pub(crate) struct Projection {
    from: Subscription,
    attempts: Attempts,
    epoch: Epoch,
}

/// Where the worker is, while it reads.
struct Reader {
    incarnation: i64,
    /// The broker numbers its deliveries.
    last_delivery: u64,
}

/// An event that was fetched, if the service wants it, and how to acknowledge it.
struct Fetched {
    item: Option<Item>,
    acker: Acker,
}

impl Reader {
    fn read(&mut self, message: Message, from: &Subscription) -> Pulled<Fetched> {
        let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
        // Another process may have fetched one, or one came again: then we begin anew.
        let is_next = info.consumer_sequence == self.last_delivery + 1;
        ensure!(is_next, "a delivery is missing");
        self.last_delivery = info.consumer_sequence;
        let stored_at = info.published.timestamp_nanos_opt().unwrap_or_default();
        let place = Place {
            incarnation: self.incarnation,
            sequence: info.stream_sequence,
        };
        let (message, acker) = message.split();
        let is_wanted = from.wants(&message.subject);
        let item = is_wanted.then(|| Item::new(Offered::at(place, message), stored_at));
        Ok(Fetched { item, acker })
    }
}

impl Projection {
    pub fn new(from: Subscription, attempts: Attempts, epoch: Epoch) -> Self {
        Self {
            from,
            attempts,
            epoch,
        }
    }

    /// Works whenever this process holds the lease, until the stop.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let lifecycle = self.from.lifecycle.clone();
        while !lifecycle.is_stopping() {
            let epoch = tokio::select! {
                held = self.epoch.wait_for(Option::is_some) => held.map(|epoch| *epoch),
                () = lifecycle.stopped() => return Ok(()),
            };
            let Ok(Some(epoch)) = epoch else {
                return Ok(());
            };
            let mut changes = self.epoch.clone();
            let mut connections = self.from.bus.connections();
            let outcome = tokio::select! {
                outcome = self.work(epoch) => outcome,
                // A server that was away may have come back with less.
                _ = connections.changed() => Ok(()),
                _ = changes.wait_for(|now| *now != Some(epoch)), if !fault::is("lease-unchecked") => Ok(()),
            };
            if let Err(error) = outcome {
                self.from.warn(
                    "a projection was interrupted; it goes on from its checkpoint",
                    &error,
                );
                lifecycle.pause(super::pull::RETRY_READING).await;
            }
        }
        Ok(())
    }

    async fn work(&self, epoch: i64) -> anyhow::Result<()> {
        let place = self.resume(epoch).await?;
        let (consumer, last_delivery) = self.from.begin_at(place.sequence + 1).await?;
        let mut reader = Reader {
            incarnation: place.incarnation,
            last_delivery,
        };
        let (to, fetched) = mpsc::channel(AHEAD);
        let from = self.from.clone();
        // Reading is half of the work, and has a core of its own where there are several.
        let fetching = AbortOnDropHandle::new(tokio::spawn(async move {
            let read = |message| reader.read(message, &from);
            from.fetch(&consumer, PULL, to, read).await
        }));
        tokio::select! {
            outcome = fetching => outcome?,
            outcome = self.handle_all(fetched, epoch) => outcome,
        }
    }

    async fn handle_all(
        &self,
        mut fetched: mpsc::Receiver<Pulled<Fetched>>,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let mut retries = Retries::new(self.attempts.clone());
        let mut chunk = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = fetched.recv_many(&mut chunk, BATCH) => {
                    ensure!(count > 0, "the pull ended");
                    let began = Instant::now();
                    let taken = std::mem::take(&mut chunk);
                    retries.heed(&self.take(taken, epoch).await?);
                    self.from.lifecycle.gather(count, began).await;
                }
                () = retries.due() => {
                    let tried = retries.run(Some(epoch)).await;
                    tried.map_err(|why| anyhow::anyhow!("{why}")).context("parked events wait")?;
                }
                () = self.from.lifecycle.stopped() => return Ok(()),
            }
        }
    }

    /// Handles what came, in the order of the stream.
    async fn take(&self, chunk: Vec<Pulled<Fetched>>, epoch: i64) -> anyhow::Result<Outcome> {
        let mut items = Vec::with_capacity(chunk.len());
        let mut newest = None;
        let mut broken = None;
        for fetched in chunk {
            match fetched {
                Ok(fetched) => {
                    items.extend(fetched.item);
                    newest = Some(fetched.acker);
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        let outcome = self.attempts.handle(items, Source::Projection { epoch });
        let outcome = outcome.await.map_err(|why| anyhow::anyhow!("{why}"))?;
        if let Some(newest) = newest
            // This acknowledges all before it too.
            && let Err(error) = newest.ack().await
        {
            tracing::debug!(%error, "an acknowledgement was not sent; the checkpoint counts");
        }
        broken.map_or(Ok(outcome), Err)
    }

    /// Where to go on. A stream that was made anew, or lost its end, is read from the beginning:
    /// the inbox knows what was handled.
    async fn resume(&self, epoch: i64) -> anyhow::Result<Place> {
        let (lot, database) = (self.attempts.lot, &self.attempts.database);
        let known = lot.checkpoint(&mut database.read().await?).await?;
        let incarnation = self.from.incarnation().await?;
        if let Some(known) = known
            && (fault::is("checkpoint-without-reset")
                || known.incarnation == incarnation && self.from.still_holds(&known).await?)
        {
            return Ok(Place {
                incarnation,
                sequence: known.sequence.unsigned_abs(),
            });
        }
        if known.is_some() {
            metrics::counter!("dipper_projection_resets_total", "consumer" => lot.consumer, "stream" => lot.stream)
                .increment(1);
            tracing::warn!(
                consumer = lot.consumer,
                stream = lot.stream,
                "the stream is not what it was; reading it from the beginning"
            );
        }
        let mut work = database.begin().await?;
        let is_held = lease::is_held(&mut work, lot.consumer, epoch).await?;
        ensure!(is_held, "another process works on the projections now");
        lot.begin(&mut work, incarnation).await?;
        if let Some(known) = known {
            let since = known.lost_since(incarnation);
            lot.note_loss(&mut work, since).await?;
        }
        work.commit().await?;
        Ok(Place {
            incarnation,
            sequence: 0,
        })
    }
}
