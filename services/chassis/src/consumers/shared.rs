//! Effect workers: several work side by side on what the broker shares out; no order is promised
//! but that of each lane behind a failure.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::attempt::{Attempts, Interruption, Item, Outcome, Source};
use super::held::{Fetched, Held};
use super::offered::Offered;
use super::pull::Subscription;
use super::retry::Retries;

/// The most events in one transaction.
const BATCH: usize = 256;
/// How long events rest while the database does not take them.
const OUTAGE_DELAY: Duration = Duration::from_secs(2);

/// A worker of a service on one stream.
pub(crate) struct Shared {
    from: Subscription,
    attempts: Attempts,
}

impl Shared {
    pub fn new(from: Subscription, attempts: Attempts) -> Self {
        Self { from, attempts }
    }

    /// Works until the stop.
    pub async fn run(self) -> anyhow::Result<()> {
        self.from
            .keep_reading(|consumer| Box::pin(self.read(consumer)))
            .await
    }

    async fn read(&self, consumer: PullConsumer) -> anyhow::Result<()> {
        self.from.heed_the_end().await?;
        let incarnation = self.from.incarnation().await?;
        self.begin(incarnation).await?;
        let held = Held::new(self.from.clone(), BATCH);
        let (to, fetched) = mpsc::unbounded_channel();
        let outcome = tokio::select! {
            outcome = held.fetch(&consumer, to) => outcome,
            outcome = self.work(&held, fetched, incarnation) => outcome,
        };
        held.give_back().await;
        outcome
    }

    /// The row that counts.
    async fn begin(&self, incarnation: i64) -> anyhow::Result<()> {
        let mut work = self.attempts.database.begin().await?;
        let lot = self.attempts.lot;
        let known = lot.checkpoint(&mut work).await?;
        if known.is_none_or(|known| known.incarnation != incarnation) {
            lot.begin(&mut work, incarnation).await?;
        }
        Ok(work.commit().await?)
    }

    async fn work(
        &self,
        held: &Held,
        mut fetched: mpsc::UnboundedReceiver<Fetched>,
        incarnation: i64,
    ) -> anyhow::Result<()> {
        let mut retries = Retries::new(self.attempts.clone());
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = fetched.recv_many(&mut batch, BATCH) => {
                    anyhow::ensure!(count > 0, "the pull ended");
                    let began = Instant::now();
                    let taken = std::mem::take(&mut batch);
                    if let Some(outcome) = self.handle(held, taken, incarnation).await {
                        retries.heed(&outcome);
                    }
                    self.from.lifecycle.gather(count, began).await;
                }
                () = retries.due() => {
                    let tried = retries.run(None).await;
                    tried.map_err(|why| anyhow::anyhow!("{why}")).context("parked events wait")?;
                }
                () = self.from.lifecycle.stopped() => return Ok(()),
            }
        }
    }

    async fn handle(&self, held: &Held, batch: Vec<Fetched>, incarnation: i64) -> Option<Outcome> {
        let items = batch.iter().map(|fetched| {
            let offered = Offered::from_message(&fetched.message, incarnation);
            Item::new(offered, 0)
        });
        let outcome = self.attempts.handle(items.collect(), Source::Shared).await;
        let settled = match &outcome {
            Ok(_) => AckKind::Ack,
            Err(why) => {
                self.warn(why);
                AckKind::Nak(Some(OUTAGE_DELAY))
            }
        };
        for fetched in batch {
            held.settle(&fetched.message, settled).await;
        }
        outcome.ok()
    }

    fn warn(&self, why: &Interruption) {
        tracing::warn!(
            consumer = self.from.service,
            stream = self.from.stream,
            error = %why,
            "events cannot be handled now; they come again"
        );
    }
}
