//! Facts of streams that keep them for a time only leave before their stream loses them, a whole day
//! at once; how many there were on that day stays, and names nobody.

use std::time::Duration;

use chassis::bus::Bus;
use chassis::clock::{Clock, micros};
use chassis::consumers::handled_until;
use chassis::database::{Database, DatabaseError};
use chassis::lifecycle::Lifecycle;
use chassis::retention::swept_after;
use chassis::settings::Settings;

use crate::period::DAY_MICROS;
use crate::store::facts::{self, Kind};

const EVERY: Duration = Duration::from_mins(10);

/// Facts of a kind, and for how long their stream is sure to have them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retiring {
    kind: Kind,
    stream: &'static str,
    life: Duration,
}

/// What retires, by the settings and the catalogue.
pub(crate) fn retiring(settings: &Settings) -> Vec<Retiring> {
    let kinds = [(Kind::Login, "USER"), (Kind::Notification, "NOTIFICATION")];
    let one = |(kind, stream)| {
        let set = settings.retention.get(stream).map(|life| life.0);
        let declared = || envelope::catalogue::stream(stream)?.retention;
        let life = swept_after(set.or_else(declared)?);
        Some(Retiring { kind, stream, life })
    };
    kinds.into_iter().filter_map(one).collect()
}

/// Retires old facts until the stop.
///
/// That somebody has ever logged in stays in `person` until they are erased: it holds no time, and
/// the number of users must not fall because people were away for a month.
pub(crate) async fn retire(
    (database, bus, clock): (Database, Bus, Clock),
    all: Vec<Retiring>,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    loop {
        for one in &all {
            let handled = handled_until(&database, &bus, one.stream).await;
            let sealed = match handled {
                Ok(handled) => {
                    let before = sealed_before(clock.micros(), one.life, handled);
                    seal(&database, one.kind, before).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = sealed {
                tracing::warn!(%error, "old facts could not be retired; trying again later");
            }
        }
        if !lifecycle.pause(EVERY).await {
            return Ok(());
        }
    }
}

async fn seal(database: &Database, kind: Kind, before: i64) -> Result<(), DatabaseError> {
    loop {
        let mut work = database.begin().await?;
        let gone = facts::seal_oldest(&mut work, kind, before).await?;
        if gone.is_none() {
            return Ok(());
        }
        work.deletes_for_good();
        work.commit().await?;
    }
}

/// The first day that is not sealed. A day is sealed whole, before the stream begins to lose it, so
/// that whoever reads the stream finds each day that is not sealed whole; but never before all of it
/// is handled, and so never today.
fn sealed_before(now: i64, life: Duration, handled: i64) -> i64 {
    let kept_from = now
        .saturating_sub(micros(life))
        .saturating_add(micros(2 * EVERY));
    let losing = kept_from.div_euclid(DAY_MICROS) + 1;
    losing.min(handled.min(now).div_euclid(DAY_MICROS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = DAY_MICROS / 24;
    const MONTH: Duration = Duration::from_hours(30 * 24);

    #[test]
    fn a_day_is_sealed_just_before_its_stream_begins_to_lose_it() {
        let at = |hours: i64| sealed_before(100 * DAY_MICROS + hours * HOUR, MONTH, i64::MAX);
        // Of day 70 nothing is lost at the beginning of day 100, but soon will be.
        assert_eq!(at(0), 71);
        assert_eq!(at(23), 71);
        assert_eq!(at(24), 72);
        // Twenty minutes before a day begins to be lost it is sealed.
        let early = 100 * DAY_MICROS - HOUR / 4;
        assert_eq!(sealed_before(early, MONTH, i64::MAX), 71);
    }

    #[test]
    fn a_day_that_is_not_handled_is_not_sealed() {
        let now = 100 * DAY_MICROS;
        assert_eq!(sealed_before(now, MONTH, 50 * DAY_MICROS + HOUR), 50);
        assert_eq!(
            sealed_before(now + HOUR, Duration::from_secs(1), now + HOUR),
            100
        );
    }
}
