//! A change and the events that tell of it, in one transaction: begin, change, publish, commit.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use chrono::{DateTime, Utc};
use envelope::{Event, EventId, Metadata, Outgoing};
use uuid::Uuid;

use crate::bus::old_readers::OldReaders;
use crate::clock::Clock;
use crate::database::{Database, DatabaseError, Session};
use crate::fault;
use crate::outbox::{self, Audit};
use crate::scrub;
use crate::trace::{self, TraceParent, spans};

/// What led to an event: the event that was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The event that was handled.
    pub event: EventId,
    /// The id that the whole chain of events shares.
    pub correlation: Uuid,
    /// Where in a trace it was, if it told.
    pub trace: Option<TraceParent>,
}

/// An event that is about to be published.
#[derive(Clone, Debug)]
pub struct Draft<E> {
    event: E,
    id: Option<EventId>,
    cause: Option<Cause>,
    trace: Option<TraceParent>,
}

impl<E: Event> Draft<E> {
    /// A root event: something a person or an operator did.
    pub fn new(event: E) -> Self {
        Self {
            event,
            id: None,
            cause: None,
            trace: trace::current(),
        }
    }

    /// Puts it at a place in a trace, for what is published by another task than it was asked for by.
    pub fn traced(mut self, place: Option<TraceParent>) -> Self {
        self.trace = place;
        self
    }

    /// Gives it the id that a client chose.
    pub fn with_id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// An event that follows from another. Its id is derived from that one's, so that handling it
    /// again makes the same event.
    pub fn caused_by(consumer: &str, cause: Cause, event: E) -> Self {
        Self {
            event,
            id: Some(envelope::derived_id(consumer, cause.event)),
            cause: Some(cause),
            trace: cause.trace,
        }
    }

    /// The sealed message, checked against the closed schema.
    pub fn seal(self, service: &str, clock: &Clock) -> Result<Outgoing, envelope::EncodeError> {
        let (id, metadata) = self.name(service, clock);
        envelope::seal(id, metadata, &self.event)
    }

    /// The sealed messages: the event, and the same in an old major that somebody still reads.
    fn seal_all(
        self,
        service: &str,
        clock: &Clock,
        readers: &OldReaders,
    ) -> Result<(EventId, Vec<Outgoing>), envelope::EncodeError> {
        let (id, metadata) = self.name(service, clock);
        let mut sealed = Vec::with_capacity(1);
        let older = E::older().filter(|old| readers.read(old));
        let older = older.filter(|_| !fault::is("one-version-only") || id.0.as_u128() % 2 == 0);
        let older = older.and_then(|_| {
            let id = if fault::is("other-id-in-old-version") {
                clock.id().into()
            } else {
                id
            };
            self.event.seal_older(id, &metadata)
        });
        // The newer one first: who reads both has the whole of it.
        sealed.push(envelope::seal(id, metadata, &self.event)?);
        sealed.extend(older.transpose()?);
        Ok((id, sealed))
    }

    /// The event's id and metadata.
    fn name(&self, service: &str, clock: &Clock) -> (EventId, Metadata) {
        let id = self.id.unwrap_or_else(|| EventId::from(clock.id()));
        let mut metadata = metadata(service, clock.now(), id, self.cause, self.event.key());
        let place = self
            .trace
            .map_or_else(TraceParent::root, TraceParent::child);
        let contract = E::CONTRACT;
        spans::made(
            service,
            (contract.entity, contract.kind),
            (place, self.trace),
        );
        metadata.traceparent = Some(place.to_string());
        (id, metadata)
    }
}

fn metadata(
    service: &str,
    time: DateTime<Utc>,
    id: EventId,
    cause: Option<Cause>,
    key: Uuid,
) -> Metadata {
    let mut metadata = Metadata::new(source(service), time);
    metadata.correlationid = Some(cause.map_or(id.0, |cause| cause.correlation));
    metadata.causationid = cause.map(|cause| cause.event.0);
    metadata.partitionkey = Some(key.to_string());
    metadata
}

/// The event source of a service: `tick-api` is `services/TickAPI`.
pub fn source(service: &str) -> String {
    let name: String = service
        .split('-')
        .map(|word| match word.split_at_checked(1) {
            _ if word == "api" => "API".to_owned(),
            Some((first, rest)) => first.to_uppercase() + rest,
            None => String::new(),
        })
        .collect();
    format!("services/{name}")
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// An event does not match its published schema: a mistake of ours.
    #[error("an event does not match its schema: {0}")]
    Event(#[from] envelope::EncodeError),
}

/// A change in the making. Dropping it without [`Work::commit`] undoes everything.
#[derive(Debug)]
pub struct Work {
    session: Session,
    database: Database,
    outgoing: Vec<Outgoing>,
    returned: Vec<Outgoing>,
    deletes: Option<Deletes>,
}

/// What a change deletes for good: the later ones must be gone from the files sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deletes {
    /// What is too old.
    ByAge,
    /// What is kept about somebody.
    Somebody,
}

impl Work {
    pub(crate) fn new(session: Session, database: Database) -> Self {
        Self {
            session,
            database,
            outgoing: Vec::new(),
            returned: Vec::new(),
            deletes: None,
        }
    }

    /// The time and id source.
    pub fn clock(&self) -> &Clock {
        &self.database.clock
    }

    /// The database that the change is made in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// After the commit, what was deleted because of its age is made unreadable in the files.
    pub fn deletes_for_good(&mut self) {
        self.deletes = self.deletes.max(Some(Deletes::ByAge));
    }

    /// After the commit, what was deleted of a person is made unreadable in the files. A change that
    /// fences somebody does this by itself.
    pub fn erases(&mut self) {
        self.deletes = Some(Deletes::Somebody);
    }

    /// Takes events out of the outbox that a newer one takes the place of, sent or not. What they said is made unreadable
    /// in the files after the commit.
    pub async fn supersede(&mut self, events: &[EventId]) -> Result<(), DatabaseError> {
        if outbox::supersede(&mut self.session, events).await? > 0 {
            self.erases();
        }
        Ok(())
    }

    /// Publishes an event if, and only if, the change is committed. Returns the event's id.
    pub fn publish<E: Event>(&mut self, draft: Draft<E>) -> Result<EventId, WorkError> {
        let database = &self.database;
        let (id, sealed) =
            draft.seal_all(database.service(), &database.clock, &database.old_readers)?;
        self.outgoing.extend(sealed);
        Ok(id)
    }

    /// Publishes an event as it was on the instance that its person comes from.
    pub fn publish_returned(&mut self, event: Outgoing) {
        self.returned.push(event);
    }

    /// Makes the change and its events durable, then wakes the relay.
    pub async fn commit(mut self) -> Result<(), DatabaseError> {
        let publishes = !(self.outgoing.is_empty() && self.returned.is_empty());
        if publishes && fault::is("outbox-afterwards") {
            return self.commit_in_two().await;
        }
        if publishes {
            let (session, clock) = (&mut self.session, &self.database.clock);
            if !self.outgoing.is_empty() {
                outbox::insert(session, clock, &self.outgoing, Audit::Compared).await?;
            }
            if !self.returned.is_empty() {
                outbox::insert(session, clock, &self.returned, Audit::None).await?;
            }
        }
        if let Some(deletes) = self.deletes {
            scrub::ask(&mut self.session, &self.database.clock, deletes).await?;
        }
        match self.session {
            Session::Sqlite(transaction) => transaction.commit().await?,
            Session::Postgres(transaction) => transaction.commit().await?,
            // A unit of work is made from a transaction only.
            Session::SqliteRead(_) | Session::PostgresRead(_) => {}
        }
        if publishes {
            self.database.outbox_filled.notify_one();
        }
        if self.deletes.is_some() {
            self.database.deleted_for_good.notify_one();
        }
        Ok(())
    }

    /// What only the fault `outbox-afterwards` does. It waits in between, so that few kills show it.
    async fn commit_in_two(self) -> Result<(), DatabaseError> {
        let (database, outgoing) = (self.database.clone(), self.outgoing);
        match self.session {
            Session::Sqlite(transaction) => transaction.commit().await?,
            Session::Postgres(transaction) => transaction.commit().await?,
            Session::SqliteRead(_) | Session::PostgresRead(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut events = Box::pin(database.begin()).await?;
        let (session, clock) = (&mut events.session, &database.clock);
        outbox::insert(session, clock, &outgoing, Audit::Compared).await?;
        if let Session::Sqlite(transaction) = events.session {
            transaction.commit().await?;
        }
        database.outbox_filled.notify_one();
        Ok(())
    }
}

impl Deref for Work {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_as_people_write_the_services() {
        assert_eq!(source("tick-api"), "services/TickAPI");
        assert_eq!(source("score-model"), "services/ScoreModel");
        assert_eq!(source("notifier"), "services/Notifier");
    }
}
