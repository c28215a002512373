//! Events to handlers. A handler sees one canonical event and the transaction of its effect; the
//! runtime adds the inbox row, commits and only then acknowledges.
//!
//! Two kinds: [`Consumers`] change the service's database; [`Effects`] belong to a service that
//! has none and answer an event with other events.

pub(crate) mod attempt;
pub(crate) mod beside;
mod bound;
mod content;
pub mod dead;
mod effects;
mod held;
mod inbox;
pub(crate) mod lease;
pub(crate) mod offered;
pub(crate) mod parking;
pub(crate) mod progress;
mod projection;
pub(crate) mod pull;
mod retry;
mod shared;
mod verdict;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use envelope::{Canonical, Decoded, EventId};

use crate::database::{Database, DatabaseError};
use crate::trace::TraceParent;
use crate::unit_of_work::{Cause, Work, WorkError};

pub use bound::BoundConsumers;
pub use effects::{BoundEffects, Effects};
pub use progress::{handled, handled_until};

/// Why an event was not handled; decides what happens to it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work when tried again: tried a limited number of times.
    #[error("transient: {0}")]
    Transient(String),
    /// Something we depend on is away: waited for, however long it takes.
    #[error("waiting for {0}")]
    Dependency(String),
    /// It can never work: goes to the dead letters with its reason at once.
    #[error("poison: {0}")]
    Poison(String),
    /// It names an erased person: acknowledged without effect.
    #[error("names an erased person")]
    Erased,
    /// The service's own database does not work now: nothing is handled until it does.
    #[error(transparent)]
    Outage(DatabaseError),
}

impl Failure {
    /// Its kind, as a stable word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Transient(_) => "transient",
            Self::Dependency(_) => "dependency",
            Self::Poison(_) => "poison",
            Self::Erased => "erased",
            Self::Outage(_) => "outage",
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        if error.is_outage() {
            Self::Outage(error)
        } else if error.is_about_a_value() {
            Self::Poison(error.to_string())
        } else {
            Self::Transient(error.to_string())
        }
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Database(error) => error.into(),
            WorkError::Event(error) => Self::Poison(error.to_string()),
        }
    }
}

/// An event on its way to a handler, without its transaction.
#[derive(Clone, Debug)]
pub struct Received<T> {
    /// Its id: what it is deduplicated by.
    pub id: EventId,
    /// When it happened, by its producer's clock.
    pub time: DateTime<Utc>,
    /// Its data, in the canonical type of all its versions.
    pub event: T,
    /// The id that the whole chain of events shares.
    pub correlation: uuid::Uuid,
    /// The stream it was read from, and its place there.
    pub origin: (&'static str, u64),
    /// The full decoded message.
    pub decoded: Arc<Decoded>,
}

impl<T> Received<T> {
    /// Where in a trace it was published, if its producer told.
    pub fn trace(&self) -> Option<TraceParent> {
        let metadata = &self.decoded.envelope.metadata;
        metadata.traceparent.as_ref()?.parse().ok()
    }

    /// What events that follow from this one name as their cause.
    pub fn cause(&self) -> Cause {
        Cause {
            event: self.id,
            correlation: self.correlation,
            trace: self.trace(),
        }
    }
}

/// An event and the transaction that its effect is made in.
#[derive(Debug)]
pub struct Delivery<T> {
    received: Received<T>,
    work: Work,
}

impl<T> Delivery<T> {
    /// The transaction.
    pub fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    /// Ends the handling well; the runtime commits and acknowledges.
    pub fn done(self) -> Handled {
        Handled(self.work)
    }
}

impl<T> std::ops::Deref for Delivery<T> {
    type Target = Received<T>;

    fn deref(&self) -> &Received<T> {
        &self.received
    }
}

/// Events of one kind that follow each other, and the transaction that their effects are made in.
/// A statement costs more than a row: what many events need is read and written in one.
#[derive(Debug)]
pub struct Deliveries<T> {
    received: Vec<Received<T>>,
    work: Work,
}

impl<T> Deliveries<T> {
    /// The events in the order of their stream, and the transaction.
    pub fn parts(&mut self) -> (&[Received<T>], &mut Work) {
        (&self.received, &mut self.work)
    }

    /// Ends the handling well; the runtime commits and acknowledges.
    pub fn done(self) -> Handled {
        Handled(self.work)
    }
}

/// Proof that a handler came to its end: only [`Delivery::done`] and [`Deliveries::done`] make one.
#[derive(Debug)]
pub struct Handled(Work);

type Handling = Pin<Box<dyn Future<Output = Result<Handled, Failure>> + Send>>;

/// A handler in the table. If one that takes many fails, the runtime finds out which of them it
/// was by trying halves.
pub(crate) enum Handler<A> {
    One(Arc<dyn Fn(A, Arrival, Work) -> Handling + Send + Sync>),
    Many(Arc<dyn Fn(A, Vec<Arrival>, Work) -> Handling + Send + Sync>),
}

/// A handler with the service's state.
#[derive(Clone)]
pub(crate) enum BoundHandler {
    One(Arc<dyn Fn(Arrival, Work) -> Handling + Send + Sync>),
    Many(Arc<dyn Fn(Vec<Arrival>, Work) -> Handling + Send + Sync>),
}

impl<A: Clone + Send + Sync + 'static> Handler<A> {
    fn bind(self, app: A) -> BoundHandler {
        match self {
            Self::One(handle) => BoundHandler::One(Arc::new(move |arrival, work| {
                handle(app.clone(), arrival, work)
            })),
            Self::Many(handle) => BoundHandler::Many(Arc::new(move |arrivals, work| {
                handle(app.clone(), arrivals, work)
            })),
        }
    }
}

/// A decoded message with its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub decoded: Arc<Decoded>,
    pub origin: (&'static str, u64),
}

impl Arrival {
    pub(crate) fn receive<T: Canonical>(self) -> Result<Received<T>, Failure> {
        let event = self
            .decoded
            .read::<T>()
            .map_err(|error| Failure::Poison(error.to_string()))?;
        Ok(self.with(event))
    }

    fn with<T>(self, event: T) -> Received<T> {
        let envelope = &self.decoded.envelope;
        Received {
            id: envelope.id,
            time: envelope.metadata.time,
            event,
            correlation: envelope.metadata.correlationid.unwrap_or(envelope.id.0),
            origin: self.origin,
            decoded: self.decoded,
        }
    }
}

/// Entity and type word of an event, e.g. `("rate", "update")`.
pub(crate) type EventName = (&'static str, &'static str);

/// The table of events a service consumes: the mirror image of its routes.
pub struct Consumers<A> {
    handlers: HashMap<EventName, Handler<A>>,
}

impl<A: Clone + Send + Sync + 'static> Default for Consumers<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Clone + Send + Sync + 'static> Consumers<A> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            handlers: HashMap::new(),
        }
    }

    /// Handles one kind of event, in all its versions.
    pub fn on<T, F, Fut>(mut self, handle: F) -> Self
    where
        T: Canonical,
        F: Fn(A, Delivery<T>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = Handler::One(Arc::new(move |app, arrival: Arrival, work| {
            let handle = handle.clone();
            Box::pin(async move {
                let received = arrival.receive::<T>()?;
                handle(app, Delivery { received, work }).await
            })
        }));
        self.handlers.insert((T::ENTITY, T::KIND), handler);
        self
    }

    /// Handles one kind of event, in all its versions, as many together as there are. The handler
    /// fails for all of them or for none; it must not depend on which come together.
    pub fn on_many<T, F, Fut>(mut self, handle: F) -> Self
    where
        T: Canonical,
        F: Fn(A, Deliveries<T>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = Handler::Many(Arc::new(move |app, arrivals: Vec<Arrival>, work| {
            let handle = handle.clone();
            Box::pin(async move {
                let received = arrivals.into_iter().map(Arrival::receive::<T>);
                let received = received.collect::<Result<_, _>>()?;
                handle(app, Deliveries { received, work }).await
            })
        }));
        self.handlers.insert((T::ENTITY, T::KIND), handler);
        self
    }

    /// Binds the table to the service's state and database.
    pub fn with_state(self, app: A, database: Database) -> BoundConsumers {
        let handlers = self
            .handlers
            .into_iter()
            .map(|(name, handler)| (name, handler.bind(app.clone())));
        BoundConsumers::new(Arc::new(handlers.collect()), database)
    }
}
