//! While something that mails need is away: how long to wait, and what to tell the log.

use std::time::Duration;

use super::Setback;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// Whether mails are going through.
#[derive(Debug, Default)]
pub(super) struct Outage {
    delay: Option<Duration>,
}

impl Outage {
    /// Mails do not go through; how long to wait before the next try. Logged when it begins.
    pub(super) fn goes_on(&mut self, setback: &Setback) -> Duration {
        if self.delay.is_none() {
            tracing::warn!(%setback, "mails wait; trying again until they go through");
        }
        let next = delay_after(self.delay);
        self.delay = Some(next);
        next
    }

    /// Mails go through. Logged when they did not before.
    pub(super) fn is_over(&mut self) {
        if self.delay.take().is_some() {
            tracing::info!("mails go through again");
        }
    }
}

fn delay_after(before: Option<Duration>) -> Duration {
    before.map_or(FIRST, |before| (before * 2).min(LONGEST))
}

/// How long a single mail waits that the server does not take for now.
pub(super) fn delay_of(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 6)).unwrap_or_default();
    (FIRST * 2_u32.pow(doublings)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_from_a_second_to_a_minute() {
        let mut outage = Outage::default();
        let away = Setback::Away("nobody there".to_owned());
        let waits: Vec<u64> = (0..8).map(|_| outage.goes_on(&away).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        let single: Vec<u64> = (0..8)
            .map(|attempts| delay_of(attempts).as_secs())
            .collect();
        assert_eq!(single, waits);
        outage.is_over();
        assert_eq!(outage.goes_on(&away).as_secs(), 1);
    }
}
