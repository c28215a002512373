//! Whether erasures keep their deadline: a warning and a metric when half, four fifths and all of the
//! time is used. The law allows two more months for requests that are complex (Art. 12(3) GDPR).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clients::user::{ErasureProgress, ExtendErasure};
use envelope::EventId;

use crate::App;
use crate::error::Error;
use crate::store::deadlines::{self, Open};
use crate::store::erasures;

/// How often deadlines are looked at.
const EVERY: Duration = Duration::from_mins(1);
/// When somebody has to look, in percent of the time.
const ALARMS: [i64; 3] = [50, 80, 100];
/// Thirty and sixty days are never longer than the three months that the law allows in all.
const EXTENDED_BY: TimeDelta = TimeDelta::days(60);
/// The longest list.
const MOST: i64 = 1000;

/// Watches until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    loop {
        if let Err(error) = round(&app).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "the deadlines of erasures were not looked at");
        }
        if !app.lifecycle.pause(EVERY).await {
            return Ok(());
        }
    }
}

async fn round(app: &App) -> anyhow::Result<()> {
    let open = deadlines::open(&mut app.database.read().await?, MOST).await?;
    let now = app.clock.micros();
    let most = open.iter().map(|one| one.percent(now)).max();
    metrics::gauge!("dipper_erasures_open").set(u32::try_from(open.len())?);
    metrics::gauge!("dipper_erasure_deadline_used_percent").set(u32::try_from(
        most.unwrap_or_default().clamp(0, i64::from(u32::MAX)),
    )?);
    for one in &open {
        let Some(percent) = alarm(one.percent(now), one.alarmed) else {
            continue;
        };
        let mut work = app.database.begin().await?;
        let waiting = erasures::waiting_services(&mut work, one.event_id).await?;
        deadlines::set_alarmed(&mut work, one.event_id, percent).await?;
        work.commit().await?;
        let (request, state, waiting) = (one.event_id, &one.state, waiting.join(", "));
        tracing::warn!(%request, state, waiting, percent, "an erasure takes long: so much of its time is used");
    }
    Ok(())
}

/// The alarm that is due, in percent, if there was none for it.
fn alarm(percent: i64, alarmed: i64) -> Option<i64> {
    let reached = ALARMS.into_iter().rfind(|alarm| percent >= *alarm);
    reached.filter(|alarm| *alarm > alarmed)
}

/// All requests that are not done, the most urgent first.
pub(crate) async fn list(app: &App) -> Result<Vec<ErasureProgress>, Error> {
    let mut session = app.database.read().await?;
    let now = app.clock.micros();
    let mut all = Vec::new();
    for one in deadlines::open(&mut session, MOST).await? {
        all.push(ErasureProgress {
            request: EventId(one.event_id),
            state: one.state.clone(),
            requested_at: time(one.requested_at),
            due_at: time(one.due_at),
            percent_used: one.percent(now),
            extension_reason: one.extension_reason.clone(),
            waiting_for: erasures::waiting_services(&mut session, one.event_id).await?,
            found_in: one.found_in()?,
        });
    }
    Ok(all)
}

/// Gives a request two more months, once; its requester is told why.
pub(crate) async fn extend(app: &App, question: &ExtendErasure) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    let event = question.request.0;
    let by = EXTENDED_BY.num_microseconds().unwrap_or_default();
    if !deadlines::extend(&mut work, event, by, &question.reason).await? {
        return Err(Error::UnknownRequest);
    }
    work.commit().await?;
    Ok(())
}

/// Takes up a request at once that waits for its next look.
pub(crate) async fn retry(app: &App, request: EventId) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    let now = work.clock().micros();
    if !deadlines::look_now(&mut work, request.0, now).await? {
        return Err(Error::UnknownRequest);
    }
    work.commit().await?;
    for wake in [&app.wake_eraser, &app.wake_scanner, &app.wake_guard] {
        wake.notify_one();
    }
    Ok(())
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

impl Open {
    /// How much of the time is used.
    fn percent(&self, now: i64) -> i64 {
        let whole = (self.due_at - self.requested_at).max(1);
        (now - self.requested_at).saturating_mul(100) / whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alarm_comes_once_and_only_the_last_that_is_due() {
        assert_eq!(alarm(49, 0), None);
        assert_eq!(alarm(50, 0), Some(50));
        assert_eq!(alarm(79, 50), None);
        assert_eq!(alarm(120, 0), Some(100));
        assert_eq!(alarm(500, 100), None);
    }

    #[test]
    fn an_extension_moves_the_alarms() {
        let mut request = Open {
            due_at: 30,
            ..Open::default()
        };
        assert_eq!(request.percent(24), 80);
        request.due_at = 90;
        assert_eq!(request.percent(24), 26);
    }
}
