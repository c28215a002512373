//! Attempts at events: a batch in one transaction, with what becomes of each.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use envelope::Decoded;
use uuid::Uuid;

use super::beside::{Aside, Built};
use super::inbox;
use super::lease;
use super::offered::{Offered, Unreadable};
use super::parking::{Lot, Parking, Status};
use super::progress::{Checkpoint, Tally};
use super::verdict::Verdict;
use super::{Arrival, BoundHandler, EventName, Failure, Handled};
use crate::audit::digest;
use crate::bus::Bus;
use crate::database::{Database, DatabaseError};
use crate::deliveries::latency;
use crate::fault;
use crate::trace::spans;
use crate::unit_of_work::Work;

/// What a service does with the events of one stream.
#[derive(Clone)]
pub(crate) struct Attempts {
    pub lot: Lot,
    pub bus: Bus,
    pub database: Database,
    pub handlers: Arc<HashMap<EventName, BoundHandler>>,
    pub any: Option<BoundHandler>,
    /// Another generation of the database, while one is built.
    pub aside: Aside,
    /// Says that these are attempts in a generation that is being built.
    pub built: Option<Built>,
}

/// Where a batch comes from, and so what is written beside its effects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A projection's worker of this epoch reads the stream itself.
    Projection { epoch: i64 },
    /// The broker shares the events out.
    Shared,
    /// They were parked; a projection's are its worker's to try.
    Parked { epoch: Option<i64> },
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many were parked.
    pub parked: usize,
    /// How many of those wait behind no other, and so may be tried again soon.
    pub heads: usize,
    /// Which dependencies were away.
    pub away: HashSet<String>,
}

/// Why nothing more of a batch was done; what was committed before stays.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// Another process works on the projections now.
    Fenced,
    /// The database does not take anything.
    Database(DatabaseError),
    /// A dead letter could not be kept.
    Broker(String),
    /// The generation that is being built does not take it.
    Built(String),
}

impl From<DatabaseError> for Interruption {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl std::fmt::Display for Interruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fenced => f.write_str("another process works on the projections now"),
            Self::Database(error) => error.fmt(f),
            Self::Broker(why) | Self::Built(why) => f.write_str(why),
        }
    }
}

/// An event of a batch and, once that is known, why it cannot have its effect now.
pub(crate) struct Item {
    pub offered: Offered,
    /// When the broker stored it, in nanoseconds since 1970.
    pub stored_at: i64,
    pub(super) verdict: Option<Verdict>,
}

impl Item {
    pub fn new(offered: Offered, stored_at: i64) -> Self {
        Self {
            offered,
            stored_at,
            verdict: None,
        }
    }
}

/// Why a batch was not committed.
enum Setback {
    /// One or more of the events at these places failed; nothing of the batch was kept.
    Events(Range<usize>, Failure),
    /// The ids of the events at these places stand for other ones.
    Others(Vec<usize>),
    /// Another process was faster with what was parked.
    Taken,
    Interrupted(Interruption),
}

impl From<DatabaseError> for Setback {
    fn from(error: DatabaseError) -> Self {
        Self::Interrupted(error.into())
    }
}

/// What becomes of the events of a batch that is about to be tried.
struct Plan {
    live: Vec<usize>,
    /// They have no effect, and are noted all the same: nobody is to miss them here.
    erased: Vec<usize>,
    parked: Vec<(usize, Parking)>,
    tally: Tally,
}

impl Attempts {
    /// Does with each event what can be done now: its effect, or it is parked. The events are in
    /// the order of their stream, and are committed in that order.
    pub async fn handle(
        &self,
        mut items: Vec<Item>,
        source: Source,
    ) -> Result<Outcome, Interruption> {
        let _admitted = self.admit(&items).await?;
        let mut outcome = Outcome::default();
        for item in &mut items {
            self.give_up_unreadable(item).await?;
        }
        // What is still to be tried; the events that come first in the stream are the last here.
        let mut untried = vec![items];
        while let Some(mut items) = untried.pop() {
            if items.is_empty() {
                continue;
            }
            let began = SystemTime::now();
            match self.attempt(&items, source).await {
                Ok((parked, heads)) => {
                    outcome.parked += parked;
                    outcome.heads += heads;
                }
                Err(Setback::Taken) => {}
                Err(Setback::Others(places)) => {
                    for place in places {
                        if let Some(item) = items.get_mut(place) {
                            item.offered.decoded = Err(Unreadable::conflict());
                            self.give_up_unreadable(item).await?;
                        }
                    }
                    untried.push(items);
                }
                Err(Setback::Events(_, Failure::Outage(error))) => return Err(error.into()),
                Err(Setback::Events(places, failure)) if places.len() == 1 => {
                    if let Failure::Dependency(what) = &failure {
                        outcome.away.insert(what.clone());
                    }
                    if let Some(item) = items.get_mut(places.start) {
                        self.tell_failure(&item.offered, began, &failure);
                        item.verdict = Some(self.judge(&item.offered, failure).await?);
                    }
                    untried.push(items);
                }
                Err(Setback::Events(places, _)) => {
                    let later = items.split_off(places.start + places.len() / 2);
                    untried.extend([later, items]);
                }
                Err(Setback::Interrupted(why)) => return Err(why),
            }
        }
        Ok(outcome)
    }

    /// One transaction: fence, inbox, effects, new events, what is parked, the checkpoint. Answers
    /// how many were parked, and how many of those wait behind no other.
    async fn attempt(&self, items: &[Item], source: Source) -> Result<(usize, usize), Setback> {
        let began = SystemTime::now();
        let mut work = self.database.begin().await?;
        self.claim(&mut work, items, source).await?;
        let mut plan = self.plan(&mut work, items, source).await?;
        let arrivals = self.arrivals(items);
        let (fresh, taken) = self.note(&mut work, items, &plan).await?;
        let wanted = self.wanted(&arrivals, &plan.live, fresh);
        plan.tally.processed = count(wanted.len());
        plan.tally.repeated = count(plan.live.len() - wanted.len());
        work = self.run(&wanted, work).await?;
        let now = work.clock().micros();
        let parked: Vec<_> = plan
            .parked
            .into_iter()
            .filter_map(|(place, parking)| Some((&items.get(place)?.offered, parking)))
            .collect();
        if !fault::is("parked-as-done") {
            self.lot.insert(&mut work, &parked, now).await?;
        }
        // Last, as other workers of this moment wait for these rows.
        digest::record(&mut work, self.lot.consumer, taken).await?;
        self.record(&mut work, items, source, plan.tally).await?;
        work.commit().await?;
        self.count("handled", plan.tally.processed);
        self.tell_handled(&wanted, began);
        self.count("skipped", plan.tally.repeated);
        self.count("erased", plan.tally.erased);
        self.count("parked", count(parked.len()));
        let heads = parked
            .iter()
            .filter(|(_, parking)| parking.status != Status::Waiting);
        Ok((parked.len(), heads.count()))
    }

    /// Notes what has its effect now or never. Answers the ids that were not noted before, and their events.
    async fn note<'i>(
        &self,
        work: &mut Work,
        items: &'i [Item],
        plan: &Plan,
    ) -> Result<(HashSet<Uuid>, Vec<&'i Decoded>), Setback> {
        let done = plan.live.iter().chain(&plan.erased);
        let done: Vec<(usize, &Decoded)> = done
            .filter_map(|place| {
                let decoded = items.get(*place)?.offered.decoded.as_deref().ok()?;
                Some((*place, decoded))
            })
            .collect();
        let noted = inbox::insert(work, self.lot.consumer, &done).await?;
        let mut others = noted.others;
        others.retain(|place| plan.live.contains(place));
        // An index needs the place of each, whatever it says.
        if !others.is_empty() && self.any.is_none() {
            return Err(Setback::Others(others));
        }
        let taken = done.into_iter().map(|(_, event)| event);
        let taken = taken.filter(|event| noted.fresh.contains(&event.envelope.id.0));
        let taken = taken.collect();
        Ok((noted.fresh, taken))
    }

    /// Makes sure that nobody else handles these events at the same time.
    async fn claim(&self, work: &mut Work, items: &[Item], source: Source) -> Result<(), Setback> {
        let epoch = match source {
            Source::Projection { epoch } => Some(epoch),
            Source::Parked { epoch } => epoch,
            Source::Shared => None,
        };
        if let Some(epoch) = epoch
            && !lease::is_held(work, self.lot.consumer, epoch).await?
        {
            return Err(Setback::Interrupted(Interruption::Fenced));
        }
        if let Source::Parked { .. } = source {
            let places = items.iter().map(|item| item.offered.place);
            if !self.lot.take(work, places).await? {
                return Err(Setback::Taken);
            }
        }
        Ok(())
    }

    /// Who is erased is left out; what is behind a parked event of its lane is parked as well.
    async fn plan(
        &self,
        work: &mut Work,
        items: &[Item],
        source: Source,
    ) -> Result<Plan, DatabaseError> {
        let erased = self.erased(work, items).await?;
        let lanes: HashSet<&str> = items
            .iter()
            .filter_map(|item| item.offered.lane())
            .collect();
        let mut occupied = match source {
            // The first of a lane: whatever else is parked in it comes later.
            Source::Parked { .. } => HashSet::new(),
            _ if fault::is("no-lanes") => HashSet::new(),
            _ => self.lot.occupied(work, &lanes).await?,
        };
        let mut plan = Plan {
            live: Vec::with_capacity(items.len()),
            erased: Vec::new(),
            parked: Vec::new(),
            tally: Tally {
                offered: match source {
                    Source::Parked { .. } => 0,
                    _ => count(items.len()),
                },
                ..Tally::default()
            },
        };
        for (place, item) in items.iter().enumerate() {
            let lane = item.offered.lane();
            if erased.contains(&place) {
                plan.erased.push(place);
            } else if lane.is_some_and(|lane| occupied.contains(lane)) {
                plan.parked
                    .push((place, Parking::behind(item.offered.attempts)));
            } else {
                match &item.verdict {
                    None => plan.live.push(place),
                    Some(Verdict::Erased) => plan.erased.push(place),
                    Some(Verdict::Skipped) => plan.tally.skipped += 1,
                    Some(Verdict::Parked(parking)) => {
                        plan.parked.push((place, parking.clone()));
                        occupied.extend(lane.filter(|_| !fault::is("no-lanes")).map(str::to_owned));
                    }
                }
            }
        }
        plan.tally.erased = count(plan.erased.len());
        Ok(plan)
    }

    fn arrivals(&self, items: &[Item]) -> Vec<Option<Arrival>> {
        let arrival = |item: &Item| {
            Some(Arrival {
                decoded: Arc::clone(item.offered.decoded.as_ref().ok()?),
                origin: (self.lot.stream, item.offered.place.sequence),
            })
        };
        items.iter().map(arrival).collect()
    }

    /// The events that have their effect now. An index needs every place of an event: one id may
    /// lie in several, e.g. in two majors.
    fn wanted<'a>(
        &self,
        arrivals: &'a [Option<Arrival>],
        live: &[usize],
        mut fresh: HashSet<Uuid>,
    ) -> Vec<(usize, &'a Arrival)> {
        live.iter()
            .filter_map(|place| Some((*place, arrivals.get(*place)?.as_ref()?)))
            .filter(|(_, arrival)| {
                fresh.remove(&arrival.decoded.envelope.id.0) || self.any.is_some()
            })
            .collect()
    }

    async fn run(&self, wanted: &[(usize, &Arrival)], mut work: Work) -> Result<Work, Setback> {
        let mut rest = wanted;
        while let Some((first, arrival)) = rest.first() {
            let handler = self.handler(arrival).ok_or_else(|| {
                let detail = "no handler for this event".to_owned();
                Setback::Events(*first..first + 1, Failure::Poison(detail))
            })?;
            let taken = match handler {
                BoundHandler::One(_) => 1,
                BoundHandler::Many(_) => rest
                    .iter()
                    .take_while(|(_, other)| name(&other.decoded) == name(&arrival.decoded))
                    .count(),
            };
            let (now, later) = rest.split_at(taken);
            let last = now.last().map_or(*first, |(place, _)| *place);
            let handling = match handler {
                BoundHandler::One(handle) => handle((*arrival).clone(), work),
                BoundHandler::Many(handle) => {
                    let together = now.iter().map(|(_, arrival)| (*arrival).clone());
                    handle(together.collect(), work)
                }
            };
            let Handled(next) = handling
                .await
                .map_err(|failure| Setback::Events(*first..last + 1, failure))?;
            work = next;
            rest = later;
        }
        Ok(work)
    }

    async fn record(
        &self,
        work: &mut Work,
        items: &[Item],
        source: Source,
        tally: Tally,
    ) -> Result<(), DatabaseError> {
        match (source, items.last()) {
            (Source::Projection { .. }, Some(last)) => {
                let place = last.offered.place;
                let checkpoint = Checkpoint {
                    incarnation: place.incarnation,
                    sequence: place.sequence.cast_signed(),
                    stored_at: last.stored_at,
                };
                self.lot.advance(work, checkpoint, tally).await
            }
            _ => self.lot.add(work, tally).await,
        }
    }

    fn handler(&self, arrival: &Arrival) -> Option<&BoundHandler> {
        self.any
            .as_ref()
            .or_else(|| self.handlers.get(&name(&arrival.decoded)))
    }

    /// Places of events that name erased people. Erasure's own events are always let through.
    async fn erased(
        &self,
        work: &mut Work,
        items: &[Item],
    ) -> Result<HashSet<usize>, DatabaseError> {
        let people = |item: &Item| -> Vec<Uuid> {
            match item.offered.name() {
                Some(("gdpr", _)) => Vec::new(),
                Some(_) if self.any.is_some() => Vec::new(),
                _ => item.offered.people(),
            }
        };
        let named: Vec<Vec<Uuid>> = items.iter().map(people).collect();
        let all: HashSet<Uuid> = named.iter().flatten().copied().collect();
        let all: Vec<Uuid> = all.into_iter().collect();
        let erased = work.erased_among(&all).await?;
        let places = named.iter().enumerate();
        Ok(places
            .filter(|(_, people)| people.iter().any(|id| erased.contains(id)))
            .map(|(place, _)| place)
            .collect())
    }

    /// What is built anew handles events of long ago, which says nothing about today.
    fn tell_handled(&self, wanted: &[(usize, &Arrival)], began: SystemTime) {
        if self.built.is_none() {
            let events = wanted.iter().map(|(_, arrival)| &*arrival.decoded);
            latency::record(self.lot.consumer, events.clone());
            spans::handled(self.lot.consumer, events, began, spans::HANDLED);
        }
    }

    fn tell_failure(&self, offered: &Offered, began: SystemTime, failure: &Failure) {
        if self.built.is_none()
            && let Ok(event) = &offered.decoded
        {
            spans::handled(self.lot.consumer, [&**event], began, failure.word());
        }
    }

    fn count(&self, outcome: &'static str, events: i64) {
        if self.built.is_some() {
            return;
        }
        metrics::counter!("dipper_events_consumed_total", "consumer" => self.lot.consumer, "outcome" => outcome)
            .increment(events.unsigned_abs());
    }
}

fn name(decoded: &Decoded) -> EventName {
    (decoded.contract.entity, decoded.contract.kind)
}

fn count(events: usize) -> i64 {
    i64::try_from(events).unwrap_or(i64::MAX)
}
