//! Messages that were fetched and are not settled yet: the broker is told that we still have them,
//! and at the stop it gets them back at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::Subject;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{AckKind, Message};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::pull::Subscription;
use crate::fault;

/// A third of the broker's patience.
const TELL_EVERY: Duration = Duration::from_secs(3);
const PULL_EXPIRES: Duration = Duration::from_secs(30);

/// A fetched message with its place among those that may be held.
pub(crate) struct Fetched {
    pub message: Message,
    _place: OwnedSemaphorePermit,
}

/// Fetches messages of a shared consumer, at most so many ahead, and answers for them.
#[derive(Clone)]
pub(crate) struct Held {
    from: Subscription,
    places: Arc<Semaphore>,
    unsettled: Arc<Mutex<HashMap<u64, Subject>>>,
}

impl Held {
    pub fn new(from: Subscription, most: usize) -> Self {
        Self {
            from,
            places: Arc::new(Semaphore::new(most)),
            unsettled: Arc::default(),
        }
    }

    /// Fetches until the stop or a trouble.
    pub async fn fetch(
        &self,
        consumer: &PullConsumer,
        to: mpsc::UnboundedSender<Fetched>,
    ) -> anyhow::Result<()> {
        tokio::select! {
            outcome = self.pull(consumer, &to) => outcome,
            () = self.keep_telling() => Ok(()),
            () = self.from.lifecycle.stopped() => Ok(()),
        }
    }

    async fn pull(
        &self,
        consumer: &PullConsumer,
        to: &mpsc::UnboundedSender<Fetched>,
    ) -> anyhow::Result<()> {
        let mut connections = self.from.bus.connections();
        loop {
            // Some may be on their way that were not counted yet.
            let first = Arc::clone(&self.places).acquire_owned().await?;
            let more = self.places.available_permits();
            let others = u32::try_from(more).unwrap_or_default();
            let mut places = vec![first];
            if let Ok(mut rest) = Arc::clone(&self.places).try_acquire_many_owned(others) {
                places.extend(std::iter::from_fn(|| rest.split(1)));
            }
            let mut batch = consumer
                .batch()
                .max_messages(places.len())
                .expires(PULL_EXPIRES)
                .messages()
                .await
                .context("cannot pull")?;
            loop {
                let next = tokio::select! {
                    next = batch.next() => next,
                    _ = connections.changed() => {
                        self.from.heed_the_end().await?;
                        break;
                    }
                };
                let Some(message) = next else { break };
                let message = message.map_err(|error| anyhow::anyhow!("{error}"))?;
                if !self.from.wants(&message.subject) {
                    self.settle(&message, AckKind::Ack).await;
                    continue;
                }
                let place = places.pop().context("more messages than were asked for")?;
                if fault::is("ack-before-commit") {
                    let _ = message.ack().await;
                }
                self.note(&message);
                let fetched = Fetched {
                    message,
                    _place: place,
                };
                if to.send(fetched).is_err() {
                    return Ok(());
                }
            }
        }
    }

    fn note(&self, message: &Message) {
        if let (Ok(info), Some(reply)) = (message.info(), &message.reply) {
            let mut unsettled = self
                .unsettled
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unsettled.insert(info.consumer_sequence, reply.clone());
        }
    }

    /// Tells the broker what became of a message.
    pub async fn settle(&self, message: &Message, outcome: AckKind) {
        if let Ok(info) = message.info() {
            let mut unsettled = self
                .unsettled
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unsettled.remove(&info.consumer_sequence);
        }
        if let Err(error) = message.ack_with(outcome).await {
            tracing::debug!(%error, "an acknowledgement was not sent; the event comes again");
        }
    }

    async fn keep_telling(&self) {
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            self.tell_all(AckKind::Progress).await;
        }
    }

    /// Gives everything back that is not settled: the next worker gets it at once.
    pub async fn give_back(&self) {
        if !fault::is("keeps-prefetched") {
            self.tell_all(AckKind::Nak(None)).await;
        }
        let mut unsettled = self
            .unsettled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unsettled.clear();
    }

    async fn tell_all(&self, what: AckKind) {
        let replies: Vec<Subject> = {
            let unsettled = self
                .unsettled
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unsettled.values().cloned().collect()
        };
        for reply in replies {
            let told = self.from.bus.client().publish(reply, what.into()).await;
            if let Err(error) = told {
                tracing::debug!(%error, "the broker does not hear of held messages");
            }
        }
    }
}
