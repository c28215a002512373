//! Corrected ticks: as soon as a `tick.update` is in the stream, whatever said an older state of its tick is overwritten
//! there. Which ticks that concerns is noted in the transaction that reads the event, so it is done after a kill as well;
//! an older state that comes later, from an outbox or another producer, goes too.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use chassis::consumers::Failure;
use chassis::unit_of_work::Work;
use envelope::catalogue::TICK;
use envelope::{Canonical, Decoded, EventId, decode, tick};
use uuid::Uuid;

use crate::store::corrections::{self, Due};
use crate::store::{Place, index};
use crate::{App, broker, replicas};

/// A net for wake-ups that were missed.
const POLL: Duration = Duration::from_secs(1);
/// How many ticks are looked at in one step.
const BATCH: i64 = 64;

/// What an event says of a tick.
pub(crate) struct Ticked {
    /// The tick.
    pub tick: Uuid,
    /// With which image.
    pub image: Uuid,
    /// Whose.
    pub user: Uuid,
    /// How often it was corrected before it was so.
    pub revision: i64,
}

/// What an event says of a tick, if it says all of one.
pub(crate) fn ticked(decoded: &Decoded) -> Result<Option<Ticked>, Failure> {
    match (decoded.contract.entity, decoded.contract.kind) {
        (tick::New::ENTITY, tick::New::KIND) => {
            let event: tick::New = read(decoded)?;
            Ok(Some(Ticked {
                tick: decoded.envelope.id.0,
                image: event.image.url.image().0,
                user: event.user.id.0,
                revision: 0,
            }))
        }
        (tick::Update::ENTITY, tick::Update::KIND) => {
            let event: tick::Update = read(decoded)?;
            Ok(Some(Ticked {
                tick: event.tick.id.0,
                image: event.image.url.image().0,
                user: event.user.id.0,
                revision: event.revision.into(),
            }))
        }
        _ => Ok(None),
    }
}

fn read<T: Canonical>(decoded: &Decoded) -> Result<T, Failure> {
    decoded
        .read()
        .map_err(|error| Failure::Poison(error.to_string()))
}

/// Notes what is to be overwritten because of these events. Says whether there may be anything.
pub(crate) async fn note<'t>(
    work: &mut Work,
    told: impl Iterator<Item = &'t Ticked>,
) -> Result<bool, Failure> {
    let mut corrected: BTreeMap<(Uuid, Uuid), i64> = BTreeMap::new();
    let mut new = Vec::new();
    for one in told {
        if one.revision == 0 {
            new.push(one.tick);
        } else {
            let newest = corrected.entry((one.tick, one.user)).or_default();
            *newest = one.revision.max(*newest);
        }
    }
    let is_any = !corrected.is_empty();
    let ticks = corrected.into_iter();
    corrections::correct(
        work,
        ticks.map(|((tick, user), newest)| (tick, user, newest)),
    )
    .await?;
    corrections::see(work, new.into_iter()).await?;
    Ok(is_any)
}

/// Overwrites until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    while !app.lifecycle.is_stopping() {
        if let Err(error) = overwrite_due(&app).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "what was corrected waits to be overwritten");
        }
        tokio::select! {
            () = app.wake_corrector.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.lifecycle.stopped() => {}
        }
    }
    Ok(())
}

async fn overwrite_due(app: &App) -> anyhow::Result<()> {
    loop {
        let due = corrections::due(&mut app.database.read().await?, BATCH).await?;
        if due.is_empty() || app.lifecycle.is_stopping() {
            return Ok(());
        }
        for one in due {
            overwrite(app, one).await?;
        }
    }
}

/// Overwrites what says an older state of a tick. It may also wait in our own outbox, after an import.
async fn overwrite(app: &App, due: Due) -> anyhow::Result<()> {
    ensure!(replicas::are_here(app).await?, replicas::AWAY);
    let older = older(app, due).await?;
    let events: Vec<EventId> = older.iter().map(|(_, event)| *event).collect();
    let places: Vec<Place> = older.into_iter().map(|(place, _)| place).collect();
    let mut work = app.database.begin().await?;
    work.supersede(&events).await?;
    work.commit().await?;
    for place in &places {
        let sequence = u64::try_from(place.sequence)?;
        broker::erase(&app.bus, &place.stream, sequence).await?;
    }
    let mut work = app.database.begin().await?;
    index::forget_places(&mut work, &places).await?;
    corrections::done(&mut work, due).await?;
    work.commit().await?;
    metrics::counter!("dipper_superseded_events_total").increment(places.len() as u64);
    Ok(())
}

/// The events that say an older state of a tick: all of its person's are looked at, since nothing knows which they are.
async fn older(app: &App, due: Due) -> anyhow::Result<Vec<(Place, EventId)>> {
    let filter = format!("{}.*.*.{}", TICK.entity, due.user);
    let (mut found, mut from) = (Vec::new(), 1);
    while let Some(message) = broker::next(&app.bus, TICK.name, &filter, from).await? {
        from = message.sequence + 1;
        // What cannot be read says nothing of a tick to anybody.
        let Ok(decoded) = decode(&message.subject, &message.payload) else {
            continue;
        };
        let told = ticked(&decoded)?;
        if told.is_some_and(|told| told.tick == due.tick && told.revision < due.revision) {
            let place = Place::new(TICK.name, message.sequence)?;
            found.push((place, decoded.envelope.id));
        }
    }
    Ok(found)
}
