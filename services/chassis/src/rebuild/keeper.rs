//! Carries out rebuilds: the process that holds the lease does, one after the other.

use std::time::{Duration, Instant};

use anyhow::ensure;
use envelope::catalogue::STREAMS;

use super::reader::{BATCH, Reader};
use super::{Rebuild, State, StreamProgress, Switch, TableCompared, compare, store};
use crate::consumers::attempt::Attempts;
use crate::consumers::beside::{Alone, Aside, Built};
use crate::consumers::lease::Epoch;
use crate::consumers::pull::Subscription;
use crate::database::{Beside, Database, DatabaseError};
use crate::lifecycle::Lifecycle;

/// A net for what another process was asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Once the live generation is no more than so many events ahead, it waits for the rest.
const CLOSE: u64 = 2000;
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Carries out the rebuilds of a service.
pub(crate) struct Keeper {
    live: Database,
    carried: &'static [&'static str],
    /// How the live generation reads.
    all: Vec<(Subscription, Attempts)>,
    aside: Aside,
}

/// Why a rebuild ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Somebody asked for it.
    Cancelled,
    /// For this reason.
    Failed(String),
}

impl From<DatabaseError> for Stop {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Keeper {
    pub fn new(
        live: Database,
        carried: &'static [&'static str],
        all: &[(Subscription, Attempts)],
        aside: Aside,
    ) -> Self {
        let mut all = all.to_vec();
        // What is spoken of comes before those who speak of it.
        all.sort_by_key(|(from, _)| STREAMS.iter().position(|stream| stream.name == from.stream));
        Self {
            live,
            carried,
            all,
            aside,
        }
    }

    /// Works whenever this process holds the lease, until the stop.
    pub async fn keep(self, mut epoch: Epoch, lifecycle: Lifecycle) -> anyhow::Result<()> {
        while !lifecycle.is_stopping() {
            let held = tokio::select! {
                held = epoch.wait_for(Option::is_some) => held.map(|epoch| *epoch),
                () = lifecycle.stopped() => return Ok(()),
            };
            let Ok(Some(held)) = held else {
                return Ok(());
            };
            let mut changes = epoch.clone();
            let outcome = tokio::select! {
                outcome = self.serve(held) => outcome,
                _ = changes.wait_for(|now| *now != Some(held)) => Ok(()),
                () = lifecycle.stopped() => Ok(()),
            };
            self.aside.alone().await.take();
            ensure!(
                !self.live.is_closed(),
                "it is not known which generation is the live one; the next start finds out"
            );
            if let Err(error) = outcome {
                let service = self.live.service();
                tracing::warn!(service, %error, "rebuilds wait");
                lifecycle.pause(AGAIN_AFTER).await;
            }
        }
        Ok(())
    }

    async fn serve(&self, epoch: i64) -> Result<(), DatabaseError> {
        self.live.remove_leftovers().await?;
        if let Some(mut left) = self.newest().await?
            && !left.has_ended()
            && left.state != State::Asked
        {
            left.state = State::Failed;
            left.progress.reason = Some("the process that worked on it ended".to_owned());
            self.end(&left).await?;
        }
        loop {
            match self.newest().await? {
                Some(asked) if !asked.has_ended() => self.carry_out(asked, epoch).await?,
                _ => {}
            }
            tokio::select! {
                () = self.live.rebuild_asked.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn newest(&self) -> Result<Option<Rebuild>, DatabaseError> {
        store::find(&mut self.live.read().await?, self.live.service()).await
    }

    async fn end(&self, rebuild: &Rebuild) -> Result<(), DatabaseError> {
        let mut work = self.live.begin().await?;
        store::end(&mut work, rebuild).await?;
        work.commit().await
    }

    async fn carry_out(&self, asked: Rebuild, epoch: i64) -> Result<(), DatabaseError> {
        let service = self.live.service();
        tracing::info!(service, "a rebuild begins");
        let mut run = Run::new(self.live.clone(), asked);
        let (state, reason) = match self.rebuild(&mut run, epoch).await {
            Ok(state) => (state, None),
            Err(Stop::Cancelled) => (State::Cancelled, None),
            Err(Stop::Failed(why)) => (State::Failed, Some(why)),
        };
        for (from, _) in &self.all {
            from.end_beside().await;
        }
        run.rebuild.state = state;
        run.rebuild.progress.reason.clone_from(&reason);
        tracing::info!(
            service,
            ?state,
            reason,
            events = run.events(),
            "a rebuild ended"
        );
        self.end(&run.rebuild).await
    }

    async fn rebuild(&self, run: &mut Run, epoch: i64) -> Result<State, Stop> {
        run.tell().await?;
        let beside = self.live.open_beside().await?;
        match self.build(&beside, run, epoch).await {
            Ok(alone) if run.takes_over() => {
                let mut rebuild = run.rebuild.clone();
                rebuild.state = State::Switched;
                // By itself: it must not end half-way because this does.
                let switching = switch(self.live.clone(), beside, rebuild, (epoch, alone));
                let switched = tokio::spawn(switching).await;
                switched.unwrap_or_else(|error| Err(Stop::Failed(error.to_string())))
            }
            Ok(mut alone) => {
                alone.take();
                drop(alone);
                beside.remove(&self.live).await;
                Ok(State::Compared)
            }
            Err(stop) => {
                self.aside.alone().await.take();
                beside.remove(&self.live).await;
                Err(stop)
            }
        }
    }

    /// Reads all up to where the live generation is, and compares. The live workers wait as long as
    /// what is answered is there: the two generations are at the same places.
    async fn build(&self, beside: &Beside, run: &mut Run, epoch: i64) -> Result<Alone, Stop> {
        let readers = self.readers(beside, epoch);
        let mut alone = self.aside.alone().await;
        let mut work = beside.begin().await?;
        store::carry(&mut work, beside, self.carried).await?;
        for reader in &readers {
            reader.begin(&mut work, &self.live).await?;
        }
        work.commit().await?;
        *alone = readers.first().map(|reader| reader.attempts.clone());
        drop(alone);
        run.enter(State::Reading).await?;
        loop {
            let before = run.events();
            self.read_all(&readers, run).await?;
            if run.events() - before < CLOSE {
                break;
            }
        }
        let alone = self.aside.alone().await;
        let held = Instant::now();
        run.hurries = true;
        self.read_all(&readers, run).await?;
        run.enter(State::Comparing).await?;
        let mut work = beside.begin().await?;
        store::carry(&mut work, beside, self.carried).await?;
        run.rebuild.progress.skipped = store::skipped(&mut work).await?;
        for table in compare::tables(&mut work, beside).await? {
            let compared = compare::compare(&mut work, beside, &table).await?;
            run.rebuild.progress.tables.push(compared);
            run.tell().await?;
        }
        work.commit().await?;
        run.rebuild.progress.held_ms = millis(held.elapsed());
        run.tell().await?;
        Ok(alone)
    }

    fn readers(&self, beside: &Beside, epoch: i64) -> Vec<Reader> {
        let one = |(from, attempts): &(Subscription, Attempts)| Reader {
            from: from.clone(),
            attempts: Attempts {
                database: beside.database.clone(),
                aside: Aside::default(),
                built: Some(Built {
                    live: self.live.clone(),
                }),
                ..attempts.clone()
            },
            epoch,
        };
        self.all.iter().map(one).collect()
    }

    async fn read_all(&self, readers: &[Reader], run: &mut Run) -> Result<(), Stop> {
        let mut targets = Vec::with_capacity(readers.len());
        for reader in readers {
            let target = reader.target(&self.live).await?;
            targets.extend(target.map(|target| (reader, target)));
        }
        for (reader, target) in &targets {
            run.aim(reader.from.stream, target.sequence.unsigned_abs());
        }
        for (reader, target) in targets {
            reader.read(target, run).await?;
        }
        Ok(())
    }
}

/// Puts the generation in the live one's place, unless somebody asked for its end.
async fn switch(
    live: Database,
    beside: Beside,
    rebuild: Rebuild,
    (epoch, mut alone): (i64, Alone),
) -> Result<State, Stop> {
    let mut work = beside.begin().await?;
    let held = beside.hold_live(&mut work, &live).await?;
    let is_held = store::is_live_held(&mut work, &beside, epoch).await?;
    if is_held {
        store::inherit(&mut work, &beside).await?;
    }
    if !is_held || !store::switch(&mut work, &rebuild).await? {
        drop((work, held));
        alone.take();
        beside.remove(&live).await;
        return Err(Stop::Cancelled);
    }
    let taken = beside.take_over(&live, work, held).await;
    alone.take();
    taken?;
    live.deleted_for_good.notify_one();
    live.outbox_filled.notify_one();
    live.look_at_parked();
    Ok(State::Switched)
}

/// A rebuild that is carried out.
pub(super) struct Run {
    live: Database,
    pub rebuild: Rebuild,
    began: Instant,
    told: Instant,
    /// The live workers wait.
    pub hurries: bool,
}

impl Run {
    fn new(live: Database, rebuild: Rebuild) -> Self {
        let now = Instant::now();
        Self {
            live,
            rebuild,
            began: now,
            told: now,
            hurries: false,
        }
    }

    /// How many events were read.
    pub fn events(&self) -> u64 {
        self.rebuild.progress.events
    }

    /// How many may be read at once.
    pub fn batch(&self) -> usize {
        match self.limit() {
            Some(limit) => usize::try_from(limit / 4).unwrap_or(BATCH).clamp(1, BATCH),
            None => BATCH,
        }
    }

    fn limit(&self) -> Option<u64> {
        let limit = self.rebuild.events_per_second.filter(|_| !self.hurries);
        limit.map(|limit| u64::from(limit).max(1))
    }

    /// Whether what was built is wanted in the live one's place.
    fn takes_over(&self) -> bool {
        match self.rebuild.switch {
            Switch::Never => false,
            Switch::Always => true,
            Switch::IfEqual => {
                let tables = &self.rebuild.progress.tables;
                tables.iter().all(TableCompared::is_equal)
            }
        }
    }

    async fn enter(&mut self, state: State) -> Result<(), Stop> {
        self.rebuild.state = state;
        if state == State::Reading {
            self.began = Instant::now();
        }
        self.tell().await
    }

    fn aim(&mut self, stream: &str, live: u64) {
        let streams = &mut self.rebuild.progress.streams;
        match streams.iter_mut().find(|one| one.stream == stream) {
            Some(one) => one.live = live,
            None => streams.push(StreamProgress {
                stream: stream.to_owned(),
                checkpoint: 0,
                live,
            }),
        }
    }

    /// Notes what was read, tells of it now and then, and waits if that was too fast.
    pub async fn note(&mut self, stream: &str, at: u64, events: usize) -> Result<(), Stop> {
        let progress = &mut self.rebuild.progress;
        progress.events += u64::try_from(events).unwrap_or_default();
        let one = progress.streams.iter_mut().find(|one| one.stream == stream);
        if let Some(one) = one {
            one.checkpoint = at;
        }
        progress.events_per_second = progress.events * 1000 / millis(self.began.elapsed()).max(1);
        loop {
            if self.told.elapsed() >= TELL_EVERY {
                self.tell().await?;
            }
            let due = self
                .limit()
                .map(|limit| Duration::from_millis(self.events() * 1000 / limit));
            let early = due.and_then(|due| due.checked_sub(self.began.elapsed()));
            match early {
                Some(early) if !early.is_zero() => tokio::time::sleep(early.min(TELL_EVERY)).await,
                _ => return Ok(()),
            }
        }
    }

    /// Writes down how far it is, and learns whether somebody asked for its end.
    pub async fn tell(&mut self) -> Result<(), Stop> {
        self.told = Instant::now();
        let mut work = self.live.begin().await?;
        let goes_on = store::advance(&mut work, &self.rebuild).await?;
        work.commit().await?;
        if goes_on {
            Ok(())
        } else {
            Err(Stop::Cancelled)
        }
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
