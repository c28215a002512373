//! Parked events are tried again: the first of each lane, and after it those that waited behind.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::attempt::{Attempts, Interruption, Item, Outcome, Source};
use super::parking::Head;
use super::verdict::PROBE_EVERY;
use crate::clock::micros;
use crate::database::DatabaseError;

/// A net for rows that another process parked or freed.
const POLL: Duration = Duration::from_secs(5);
/// How many lanes are looked at in one step.
const LANES: i64 = 64;
/// How many that waited behind another are tried together.
const BEHIND: i64 = 256;

/// The parked events of one consumer and stream.
pub(crate) struct Retries {
    attempts: Attempts,
    changes: watch::Receiver<u64>,
    next: Instant,
}

impl Retries {
    pub fn new(attempts: Attempts) -> Self {
        Self {
            changes: attempts.database.parked_changes(),
            attempts,
            next: Instant::now(),
        }
    }

    /// Takes note of what became of a batch: something may be due earlier than was known. What waits
    /// behind another never is; looking for it at each batch would slow others down.
    pub fn heed(&mut self, outcome: &Outcome) {
        if outcome.heads > 0 {
            self.next = Instant::now();
        }
    }

    /// Ends when there may be something to try.
    pub async fn due(&mut self) {
        tokio::select! {
            () = tokio::time::sleep_until(self.next) => {}
            _ = self.changes.changed() => {}
        }
    }

    /// Tries what is due. At most one event of those that wait for one dependency is tried: if it
    /// fails, the others would too.
    pub async fn run(&mut self, epoch: Option<i64>) -> Result<(), Interruption> {
        let mut away = HashSet::new();
        loop {
            let heads = self.heads().await?;
            let mut tried = 0;
            for head in heads {
                if head
                    .dependency
                    .as_ref()
                    .is_some_and(|what| away.contains(what))
                {
                    continue;
                }
                away.extend(self.try_lane(&head, epoch).await?);
                tried += 1;
            }
            if tried == 0 {
                break;
            }
        }
        self.next = self.when().await?;
        Ok(())
    }

    async fn heads(&self) -> Result<Vec<Head>, DatabaseError> {
        let database = &self.attempts.database;
        let mut session = database.read().await?;
        let now = database.clock.micros();
        self.attempts.lot.due(&mut session, now, LANES).await
    }

    async fn try_lane(
        &self,
        head: &Head,
        epoch: Option<i64>,
    ) -> Result<HashSet<String>, Interruption> {
        let (attempts, database) = (&self.attempts, &self.attempts.database);
        let many = if head.status == "waiting" { BEHIND } else { 1 };
        let mut session = database.read().await?;
        let offered = attempts.lot.of_lane(&mut session, &head.lane, many).await?;
        drop(session);
        let items = offered.into_iter().map(|offered| Item::new(offered, 0));
        let source = Source::Parked { epoch };
        let away = attempts.handle(items.collect(), source).await?.away;
        let again = database.clock.micros() + micros(PROBE_EVERY);
        for what in &away {
            self.set_due(what, again).await?;
        }
        if let Some(what) = &head.dependency
            && !away.contains(what)
        {
            self.set_due(what, 0).await?;
        }
        Ok(away)
    }

    async fn set_due(&self, dependency: &str, at: i64) -> Result<(), DatabaseError> {
        let mut work = self.attempts.database.begin().await?;
        let lot = self.attempts.lot;
        lot.set_dependents_due(&mut work, dependency, at).await?;
        work.commit().await
    }

    async fn when(&self) -> Result<Instant, DatabaseError> {
        let database = &self.attempts.database;
        let due = self
            .attempts
            .lot
            .next_due(&mut database.read().await?)
            .await?;
        let wait = due.map_or(POLL, |at| {
            let micros = (at - database.clock.micros()).max(1000);
            Duration::from_micros(micros.unsigned_abs()).min(POLL)
        });
        Ok(Instant::now() + wait)
    }
}
