//! Effects: events answered by other events, without any state. The answers' ids are derived from
//! the cause, so a repeated run makes the same events and nobody notices.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use envelope::{Canonical, Outgoing, Reading};
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::held::{Fetched, Held};
use super::offered::Offered;
use super::parking::Lot;
use super::pull::{self, Subscription};
use super::verdict::{PROBE_EVERY, backoff};
use super::{Arrival, EventName, Failure, Received, dead};
use crate::bus::Bus;
use crate::deliveries::latency;
use crate::lifecycle::Lifecycle;
use crate::trace::spans;

/// Few, since each is real work and another process wants its share.
const BATCH: usize = 16;
const MOST_ATTEMPTS: i64 = 12;

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
#[derive(Clone)]
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
            from.prepare(Reading::Effect).await?;
            let task = format!("{service} on {}", from.stream);
            let worker = Worker {
                from,
                handlers: Arc::clone(&self.handlers),
                at_once: self.at_once,
            };
            lifecycle.spawn(task, worker.run());
        }
        Ok(())
    }
}

impl BoundEffects {
    /// Answers an event outside of its turn.
    pub(crate) async fn try_once(
        &self,
        bus: &Bus,
        stream: &'static str,
        offered: &Offered,
    ) -> Result<(), Failure> {
        let decoded = offered.decoded.as_ref();
        let decoded = decoded.map_err(|unreadable| Failure::Poison(unreadable.detail.clone()))?;
        let arrival = Arrival {
            decoded: Arc::clone(decoded),
            origin: (stream, offered.place.sequence),
        };
        answer(&self.handlers, bus, arrival).await
    }
}

async fn answer(
    handlers: &HashMap<EventName, Handler>,
    bus: &Bus,
    arrival: Arrival,
) -> Result<(), Failure> {
    let contract = arrival.decoded.contract;
    let handler = handlers
        .get(&(contract.entity, contract.kind))
        .ok_or_else(|| Failure::Poison("no handler for this event".to_owned()))?;
    for event in handler(arrival).await? {
        bus.publish(event.subject, &event.message_id, event.body.into())
            .await
            .map_err(|error| Failure::Dependency(error.to_string()))?;
    }
    Ok(())
}

struct Worker {
    from: Subscription,
    handlers: Arc<HashMap<EventName, Handler>>,
    at_once: usize,
}

impl Worker {
    async fn run(self) -> anyhow::Result<()> {
        self.from.keep_reading(|consumer| self.read(consumer)).await
    }

    async fn read(&self, consumer: PullConsumer) -> anyhow::Result<()> {
        self.from.heed_the_end().await?;
        let incarnation = self.from.incarnation().await?;
        let held = Held::new(self.from.clone(), BATCH);
        let (to, fetched) = mpsc::unbounded_channel();
        let outcome = tokio::select! {
            outcome = held.fetch(&consumer, to) => outcome,
            outcome = self.work(&held, fetched, incarnation) => outcome,
        };
        held.give_back().await;
        outcome
    }

    async fn work(
        &self,
        held: &Held,
        fetched: mpsc::UnboundedReceiver<Fetched>,
        incarnation: i64,
    ) -> anyhow::Result<()> {
        let one_by_one = stream::unfold(fetched, async |mut fetched| {
            let next = fetched.recv().await?;
            Some((next, fetched))
        });
        let mut settled = one_by_one
            .map(|fetched| self.handle(held, fetched, incarnation))
            .buffer_unordered(self.at_once)
            .boxed();
        loop {
            tokio::select! {
                one = settled.next() => one.context("the pull ended")?,
                () = self.from.lifecycle.stopped() => return Ok(()),
            }
        }
    }

    async fn handle(&self, held: &Held, fetched: Fetched, incarnation: i64) {
        let mut offered = Offered::from_message(&fetched.message, incarnation);
        let delivered = fetched.message.info().map_or(1, |info| info.delivered);
        offered.attempts = delivered - 1;
        let outcome = match &offered.decoded {
            Ok(decoded) => {
                let arrival = Arrival {
                    decoded: Arc::clone(decoded),
                    origin: (self.from.stream, offered.place.sequence),
                };
                let began = SystemTime::now();
                let answered = answer(&self.handlers, &self.from.bus, arrival).await;
                if answered.is_ok() {
                    latency::record(self.from.service, [&**decoded]);
                }
                let outcome = answered
                    .as_ref()
                    .err()
                    .map_or(spans::HANDLED, Failure::word);
                spans::handled(self.from.service, [&**decoded], began, outcome);
                answered.map_err(Given::Back)
            }
            Err(unreadable) => Err(Given::Up(unreadable.reason, unreadable.detail.clone())),
        };
        let what = self.settle(&offered, outcome).await;
        held.settle(&fetched.message, what).await;
    }

    /// What the broker is told. There is no table to park in: it keeps what waits.
    async fn settle(&self, offered: &Offered, outcome: Result<(), Given>) -> AckKind {
        let attempts = offered.attempts + 1;
        let label = match outcome {
            Ok(()) => "handled",
            Err(Given::Back(Failure::Erased)) => "erased",
            Err(Given::Back(Failure::Transient(why))) if attempts >= MOST_ATTEMPTS => {
                return self.bury(offered, "gave-up", &why).await;
            }
            Err(Given::Back(Failure::Transient(_))) => {
                return AckKind::Nak(Some(backoff(attempts)));
            }
            Err(Given::Back(Failure::Poison(why))) => {
                return self.bury(offered, "poison", &why).await;
            }
            Err(Given::Back(failure)) => {
                let consumer = self.from.service;
                let user = offered.pseudonym();
                tracing::info!(consumer, user, why = %failure, "an event waits");
                return AckKind::Nak(Some(PROBE_EVERY));
            }
            Err(Given::Up(reason, why)) => return self.bury(offered, reason, &why).await,
        };
        self.count(label);
        AckKind::Ack
    }

    async fn bury(&self, offered: &Offered, reason: &str, why: &str) -> AckKind {
        let lot = Lot {
            consumer: self.from.service,
            stream: self.from.stream,
        };
        match dead::bury(&self.from.bus, lot, offered, (reason, why)).await {
            Ok(()) => {
                self.count("dead");
                AckKind::Ack
            }
            Err(error) => {
                let consumer = self.from.service;
                tracing::error!(consumer, %error, "a dead letter could not be kept; the event comes again");
                AckKind::Nak(Some(PROBE_EVERY))
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("dipper_events_consumed_total", "consumer" => self.from.service, "outcome" => outcome)
            .increment(1);
    }
}

/// Why an event was not answered.
enum Given {
    Back(Failure),
    /// It is no event.
    Up(&'static str, String),
}
