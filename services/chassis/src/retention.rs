//! Retention is physical. A broker that drops what is too old leaves its bytes in its files, so events
//! are overwritten before their time is over, and the broker's own limit is only the backstop.

pub mod tables;

use std::time::Duration;

use crate::bus::Bus;
use crate::outbox::presence;

/// Events are overwritten so much before their time is over at most.
const MOST_EARLY: Duration = Duration::from_hours(1);
const LEAST_PAUSE: Duration = Duration::from_secs(1);
const MOST_PAUSE: Duration = Duration::from_mins(1);

/// For how long a stream keeps events, if it does so for a time only.
pub async fn life_of(bus: &Bus, stream: &str) -> anyhow::Result<Option<Duration>> {
    let stream = presence::open(bus, stream).await?;
    let life = stream.map(|stream| stream.cached_info().config.max_age);
    Ok(life.filter(|life| !life.is_zero()))
}

/// The age at which events of a stream that keeps them so long are overwritten.
pub fn swept_after(life: Duration) -> Duration {
    life.saturating_sub(MOST_EARLY.min(life / 4))
}

/// How often to look for events that are due: several times before the broker drops them.
pub fn sweep_every(life: Duration) -> Duration {
    (life.saturating_sub(swept_after(life)) / 4).clamp(LEAST_PAUSE, MOST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_overwritten_before_the_broker_drops_them() {
        let month = Duration::from_hours(30 * 24);
        assert_eq!(swept_after(month), Duration::from_hours(30 * 24 - 1));
        assert_eq!(sweep_every(month), Duration::from_mins(1));
        for seconds in [4, 20, 600, 86_400] {
            let life = Duration::from_secs(seconds);
            assert!(swept_after(life) + sweep_every(life) <= life, "{seconds} s");
        }
    }
}
