//! The sweeper: overwrites events whose time is over before their stream drops them, which would leave
//! their bytes in the broker's files.

use std::time::Duration;

use chassis::clock::micros;
use chassis::retention::{life_of, sweep_every, swept_after};
use envelope::STREAMS;

use crate::store::index;
use crate::{App, broker, replicas};

/// How often to look whether a stream keeps its events for a time only.
const POLL: Duration = Duration::from_mins(1);
/// After so many events it is looked which copies of the streams are there.
const LOOK_AFTER: u64 = 64;

/// Sweeps until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    loop {
        let mut pause = POLL;
        for stream in STREAMS {
            match sweep(&app, stream).await {
                Ok(again) => pause = pause.min(again),
                Err(error) => {
                    let (stream, error) = (stream.name, format!("{error:#}"));
                    tracing::warn!(stream, error, "old events wait to be overwritten");
                }
            }
        }
        if !app.lifecycle.pause(pause).await {
            return Ok(());
        }
    }
}

/// Overwrites what is due in a stream. Answers when to look again.
async fn sweep(app: &App, stream: &'static envelope::Stream) -> anyhow::Result<Duration> {
    let Some(life) = life_of(&app.bus, stream.name).await? else {
        return Ok(POLL);
    };
    let due = app.clock.micros() - micros(swept_after(life));
    let (mut from, mut deleted) = (1, 0);
    while let Some(message) = broker::next(&app.bus, stream.name, &stream.filter(), from).await? {
        from = message.sequence;
        if message.time.timestamp_micros() > due || app.lifecycle.is_stopping() {
            break;
        }
        if deleted % LOOK_AFTER == 0 {
            replicas::note_who_is_away(app).await?;
        }
        deleted += u64::from(broker::erase(&app.bus, stream.name, from).await?);
        from += 1;
    }
    if deleted > 0 {
        metrics::counter!("dipper_retention_events_total", "stream" => stream.name)
            .increment(deleted);
        forget_before(app, stream.name, from).await?;
    }
    Ok(sweep_every(life))
}

/// The subject index leads to nothing any more before a sequence.
async fn forget_before(app: &App, stream: &str, sequence: u64) -> anyhow::Result<()> {
    let mut work = app.database.begin().await?;
    index::forget_before(&mut work, stream, i64::try_from(sequence)?).await?;
    work.deletes_for_good();
    work.commit().await?;
    Ok(())
}
