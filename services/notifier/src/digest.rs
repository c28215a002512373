//! When somebody is told of ratings, and of how many at once.

use std::time::Duration;

use chassis::clock::micros;
use clients::user::Notifications;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What to do about the ratings that wait for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// One mail about the oldest of them.
    SendOldest,
    /// One mail about all of them.
    SendAll,
    /// Nothing before this time, in microseconds since 1970.
    Wait(i64),
    /// They do not want to be told.
    Drop,
}

/// Decides by the person's wish, by when they were last told, and by now, both in microseconds
/// since 1970. `at_most_every` stands for the hour or the day when it is set.
pub(crate) fn decide(
    wish: Notifications,
    last_sent_at: Option<i64>,
    now: i64,
    at_most_every: Option<Duration>,
) -> Decision {
    let interval = match wish {
        Notifications::Off => return Decision::Drop,
        Notifications::Instant => return Decision::SendOldest,
        Notifications::Hourly => at_most_every.unwrap_or(HOUR),
        Notifications::Daily => at_most_every.unwrap_or(DAY),
    };
    let interval = micros(interval);
    // A clock that was set back must not silence anybody for longer than the interval.
    match last_sent_at.map(|last| last.min(now).saturating_add(interval)) {
        Some(due) if due > now => Decision::Wait(due),
        _ => Decision::SendAll,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const NOW: i64 = 1_000_000 * MINUTE;

    fn told(wish: Notifications, minutes_ago: i64) -> Decision {
        decide(wish, Some(NOW - minutes_ago * MINUTE), NOW, None)
    }

    #[test]
    fn the_first_rating_is_told_at_once() {
        for wish in [Notifications::Hourly, Notifications::Daily] {
            assert_eq!(decide(wish, None, NOW, None), Decision::SendAll);
        }
    }

    #[test]
    fn then_at_most_one_digest_an_hour_or_a_day() {
        let due = |minutes| Decision::Wait(NOW + minutes * MINUTE);
        assert_eq!(told(Notifications::Hourly, 59), due(1));
        assert_eq!(told(Notifications::Hourly, 60), Decision::SendAll);
        assert_eq!(told(Notifications::Daily, 60), due(23 * 60));
        assert_eq!(told(Notifications::Daily, 24 * 60), Decision::SendAll);
    }

    #[test]
    fn who_wants_each_rating_gets_each_by_itself() {
        assert_eq!(told(Notifications::Instant, 0), Decision::SendOldest);
    }

    #[test]
    fn who_wants_none_gets_none() {
        assert_eq!(told(Notifications::Off, 10_000), Decision::Drop);
        assert_eq!(decide(Notifications::Off, None, NOW, None), Decision::Drop);
    }

    #[test]
    fn the_setting_stands_for_the_hour_and_the_day() {
        let minute = Some(Duration::from_mins(1));
        for wish in [Notifications::Hourly, Notifications::Daily] {
            let told = |micros| decide(wish, Some(NOW - micros), NOW, minute);
            assert_eq!(told(MINUTE - 1), Decision::Wait(NOW + 1));
            assert_eq!(told(MINUTE), Decision::SendAll);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nobody_for_longer() {
        let wait = decide(Notifications::Hourly, Some(i64::MAX), NOW, None);
        assert_eq!(wait, Decision::Wait(NOW + 60 * MINUTE));
    }
}
