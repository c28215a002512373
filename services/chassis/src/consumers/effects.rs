//! Effects: events answered by other events, without any state. The answers' ids are derived from
//! the cause, so a repeated run makes the same events and nobody notices.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use envelope::{Canonical, Outgoing, decode};
use futures::StreamExt as _;

use super::batch::backoff;
use super::pull::{self, Subscription};
use super::{Arrival, EventName, Failure, Received, dead};
use crate::bus::Bus;
use crate::lifecycle::Lifecycle;

/// Few, since each is real work and another process wants its share.
const BATCH: usize = 16;
const MOST_ATTEMPTS: i64 = 12;
const DEPENDENCY_DELAY: Duration = Duration::from_secs(2);

type Answering = Pin<Box<dyn Future<Output = Result<Vec<Outgoing>, Failure>> + Send>>;
type Handler = Arc<dyn Fn(Arrival) -> Answering + Send + Sync>;
type Table<A> = HashMap<EventName, Arc<dyn Fn(A, Arrival) -> Answering + Send + Sync>>;

/// The table of events that a service without a database answers.
pub struct Effects<A> {
    handlers: Table<A>,
}

impl<A: Clone + Send + Sync + 'static> Default for Effects<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Clone + Send + Sync + 'static> Effects<A> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            handlers: HashMap::new(),
        }
    }

    /// Answers one kind of event, in all its versions.
    pub fn on<T, F, Fut>(mut self, handle: F) -> Self
    where
        T: Canonical,
        F: Fn(A, Received<T>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<Outgoing>, Failure>> + Send + 'static,
    {
        let handler = move |app: A, arrival: Arrival| -> Answering {
            let handle = handle.clone();
            Box::pin(async move { handle(app, arrival.receive::<T>()?).await })
        };
        self.handlers
            .insert((T::ENTITY, T::KIND), Arc::new(handler));
        self
    }

    /// Binds the table to the service's state; `at_once` events are worked on side by side.
    pub fn with_state(self, app: A, at_once: usize) -> BoundEffects {
        let handlers = self.handlers.into_iter().map(|(name, handler)| {
            let app = app.clone();
            let bound: Handler = Arc::new(move |arrival| handler(app.clone(), arrival));
            (name, bound)
        });
        BoundEffects {
            handlers: Arc::new(handlers.collect()),
            at_once,
        }
    }
}

/// A service's effects, ready to run.
pub struct BoundEffects {
    handlers: Arc<HashMap<EventName, Handler>>,
    at_once: usize,
}

impl BoundEffects {
    /// Checks the table against the catalogue, makes the durable consumers and begins.
    pub async fn run(
        self,
        service: &'static str,
        bus: &Bus,
        lifecycle: &Lifecycle,
    ) -> anyhow::Result<()> {
        pull::check_table(service, self.handlers.keys().copied())?;
        for from in Subscription::all(service, bus, lifecycle) {
            let consumer = from.ensure().await?;
            let task = format!("{service} on {}", from.stream);
            let worker = Worker {
                from,
                handlers: Arc::clone(&self.handlers),
                at_once: self.at_once,
            };
            lifecycle.spawn(task, worker.run(consumer));
        }
        Ok(())
    }
}

struct Worker {
    from: Subscription,
    handlers: Arc<HashMap<EventName, Handler>>,
    at_once: usize,
}

impl Worker {
    async fn run(self, consumer: PullConsumer) -> anyhow::Result<()> {
        self.from
            .keep_reading(consumer, |consumer| self.read(consumer))
            .await
    }

    async fn read(&self, consumer: PullConsumer) -> anyhow::Result<()> {
        let mut outcomes = self
            .from
            .pull(&consumer, BATCH)
            .await?
            .map(|message| self.handle(message.map_err(|error| error.kind().to_string())))
            .buffer_unordered(self.at_once);
        loop {
            let outcome = tokio::select! {
                outcome = outcomes.next() => outcome.context("the pull ended")?,
                () = self.from.lifecycle.stopped() => return Ok(()),
            };
            if let Err(broken) = outcome {
                bail!("{broken}");
            }
        }
    }

    async fn handle(&self, message: Result<Message, String>) -> Result<(), String> {
        let message = message?;
        let outcome = match decode(&message.subject, &message.payload) {
            Ok(decoded) => {
                let (_, sequence, _) = dead::place(&message);
                let arrival = Arrival {
                    decoded: Arc::new(decoded),
                    origin: (self.from.stream, sequence),
                };
                self.answer(arrival).await
            }
            Err(error) => {
                dead::bury(
                    &self.from.bus,
                    &message,
                    self.from.service,
                    error.reason(),
                    &error.to_string(),
                )
                .await;
                return Ok(());
            }
        };
        self.settle(&message, outcome).await;
        Ok(())
    }

    async fn answer(&self, arrival: Arrival) -> Result<(), Failure> {
        let contract = arrival.decoded.contract;
        let Some(handler) = self.handlers.get(&(contract.entity, contract.kind)) else {
            return Err(Failure::Poison("no handler for this event".to_owned()));
        };
        for event in handler(arrival).await? {
            self.from
                .bus
                .publish(event.subject, &event.message_id, event.body.into())
                .await
                .map_err(|error| Failure::Dependency(error.to_string()))?;
        }
        Ok(())
    }

    async fn settle(&self, message: &Message, outcome: Result<(), Failure>) {
        let (_, _, attempts) = dead::place(message);
        let (label, bury) = match outcome {
            Ok(()) => ("handled", None),
            Err(Failure::Erased) => ("erased", None),
            Err(Failure::Poison(why)) => ("dead", Some(("poison", why))),
            Err(Failure::Transient(why)) if attempts >= MOST_ATTEMPTS => {
                ("dead", Some(("gave-up", why)))
            }
            Err(Failure::Transient(_)) => return dead::postpone(message, backoff(attempts)).await,
            Err(Failure::Dependency(what)) => {
                tracing::info!(
                    consumer = self.from.service,
                    waiting_for = what,
                    "an event waits"
                );
                return dead::postpone(message, DEPENDENCY_DELAY).await;
            }
        };
        metrics::counter!("dipper_events_consumed_total", "consumer" => self.from.service, "outcome" => label)
            .increment(1);
        match bury {
            Some((reason, why)) => {
                dead::bury(&self.from.bus, message, self.from.service, reason, &why).await;
            }
            None => dead::acknowledge(message).await,
        }
    }
}
