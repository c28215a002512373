//! A service's consumers with its state and database: how they are run.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use envelope::Reading;

use super::attempt::Attempts;
use super::beside::Aside;
use super::parking::Lot;
use super::projection::Projection;
use super::pull::{self, Subscription};
use super::shared::Shared;
use super::{BoundHandler, Deliveries, EventName, Failure, Handled, lease};
use crate::bus::Bus;
use crate::database::Database;
use crate::lifecycle::Lifecycle;
use crate::rebuild;

/// A service's consumers, ready to run.
pub struct BoundConsumers {
    handlers: Arc<HashMap<EventName, BoundHandler>>,
    any: Option<BoundHandler>,
    database: Database,
    carried: &'static [&'static str],
}

impl BoundConsumers {
    pub(super) fn new(handlers: Arc<HashMap<EventName, BoundHandler>>, database: Database) -> Self {
        Self {
            handlers,
            any: None,
            database,
            carried: &[],
        }
    }

    /// Hands every event of the streams that the service consumes to one handler, which gets the
    /// decoded messages themselves, those of one kind together: for an index over all events. What
    /// is no event of the catalogue goes to the dead letters. Repetitions of an event, and events
    /// about erased people, are handed over like any other, so it must be idempotent.
    pub fn any<A, F, Fut>(app: A, database: Database, handle: F) -> Self
    where
        A: Clone + Send + Sync + 'static,
        F: Fn(A, Deliveries<()>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = BoundHandler::Many(Arc::new(move |arrivals, work| {
            let (app, handle) = (app.clone(), handle.clone());
            Box::pin(async move {
                let received = arrivals.into_iter().map(|arrival| arrival.with(()));
                let received = received.collect();
                handle(app, Deliveries { received, work }).await
            })
        }));
        Self {
            any: Some(handler),
            ..Self::new(Arc::default(), database)
        }
    }

    /// Statements that bring over into a generation that is being built what the streams do not
    /// tell any more. They find the live generation's tables by the service's name, as in
    /// `statistics.sealed`, are run before the reading and after it, and must bear that.
    pub fn carrying(self, carried: &'static [&'static str]) -> Self {
        Self { carried, ..self }
    }

    /// Checks the table against the catalogue, makes the durable consumers and begins.
    pub async fn run(self, bus: &Bus, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        let service = self.database.service();
        if self.any.is_none() {
            pull::check_table(service, self.handlers.keys().copied())?;
        }
        let reader = envelope::reader(service);
        let epoch = match reader.map(|reader| reader.reading) {
            Some(Reading::Projection) => Some(lease::keep(self.database.clone(), lifecycle)),
            _ => None,
        };
        let aside = Aside::default();
        let all = self.attempts(bus, lifecycle, &aside);
        if let Some(epoch) = epoch.clone()
            && reader.is_some_and(|reader| reader.is_derived)
        {
            let keeper = rebuild::Keeper::new(self.database.clone(), self.carried, &all, aside);
            let task = keeper.keep(epoch, lifecycle.clone());
            lifecycle.spawn(format!("{service} rebuild"), task);
        }
        for (from, attempts) in all {
            let task = format!("{service} on {}", from.stream);
            if let Some(epoch) = epoch.clone() {
                from.prepare(Reading::Projection).await?;
                let worker = Projection::new(from, attempts, epoch);
                lifecycle.spawn(task, worker.run());
            } else {
                from.prepare(Reading::Effect).await?;
                let worker = Shared::new(from, attempts);
                lifecycle.spawn(task, worker.run());
            }
        }
        Ok(())
    }

    /// What is read, and what is done with it.
    fn attempts(
        &self,
        bus: &Bus,
        lifecycle: &Lifecycle,
        aside: &Aside,
    ) -> Vec<(Subscription, Attempts)> {
        let service = self.database.service();
        let one = |mut from: Subscription| {
            if self.any.is_some() {
                // The whole stream, so that what the catalogue does not know is noticed and buried.
                from.filters.clear();
            }
            let attempts = Attempts {
                lot: Lot {
                    consumer: service,
                    stream: from.stream,
                },
                bus: bus.clone(),
                database: self.database.clone(),
                handlers: Arc::clone(&self.handlers),
                any: self.any.clone(),
                aside: aside.clone(),
                built: None,
            };
            (from, attempts)
        };
        let all = Subscription::all(service, bus, lifecycle).into_iter();
        all.map(one).collect()
    }
}
