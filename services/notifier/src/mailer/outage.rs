//! While something that mails need is away: how long to wait, and what to tell the log.

use std::time::Duration;

use super::Setback;

const FIRST: Duration = Duration::from_secs(1);
/// Mail is to flow within ten seconds after what it needs has come back.
const LONGEST: Duration = Duration::from_secs(5);
/// A single mail that the server does not take for now is tried so often at least.
const LONGEST_FOR_ONE: Duration = Duration::from_mins(1);

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

    /// Some mails go through; how long to wait before the next try of the others.
    pub(super) fn is_partial(&mut self, setback: &Setback) -> Duration {
        self.delay = self.delay.map(|_| Duration::ZERO);
        self.goes_on(setback)
    }

    /// Mails go through. Logged when they did not before.
    pub(super) fn is_over(&mut self) {
        if self.delay.take().is_some() {
            tracing::info!("mails go through again");
        }
    }
}

fn delay_after(before: Option<Duration>) -> Duration {
    before.map_or(FIRST, |before| (before * 2).clamp(FIRST, LONGEST))
}

/// How long a single mail waits that the server does not take for now.
pub(super) fn delay_of(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 6)).unwrap_or_default();
    (FIRST * 2_u32.pow(doublings)).min(LONGEST_FOR_ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Setback {
        Setback::Away("nobody there".to_owned())
    }

    #[test]
    fn waiting_doubles_from_a_second_to_five() {
        let mut outage = Outage::default();
        let waits: Vec<u64> = (0..5).map(|_| outage.goes_on(&away()).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        outage.is_over();
        assert_eq!(outage.goes_on(&away()).as_secs(), 1);
    }

    #[test]
    fn waiting_stays_short_while_other_mails_go_through() {
        let mut outage = Outage::default();
        for _ in 0..5 {
            outage.goes_on(&away());
        }
        assert_eq!(outage.is_partial(&away()), FIRST);
        assert_eq!(outage.is_partial(&away()), FIRST);
    }

    #[test]
    fn a_single_mail_waits_up_to_a_minute() {
        let waits: Vec<u64> = (0..8)
            .map(|attempts| delay_of(attempts).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
