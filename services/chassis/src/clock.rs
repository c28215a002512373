//! Time, ids and secrets: the only place where they come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Source of time, ids and secrets; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    last_position: Arc<AtomicI64>,
}

/// A length of time as tables hold it: in microseconds.
pub fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

impl Clock {
    /// Now, in whole microseconds: what both databases can hold.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    /// Now as microseconds since 1970.
    pub fn micros(&self) -> i64 {
        self.now().timestamp_micros()
    }

    /// A new time-ordered id (UUIDv7).
    pub fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// A new id that says nothing, not even when it was made (UUIDv4).
    pub fn random_id(&self) -> Uuid {
        Uuid::new_v4()
    }

    /// A new secret of 256 bits as 64 hexadecimal digits.
    pub fn secret(&self) -> String {
        hex::encode(rand::random::<[u8; 32]>())
    }

    /// A number that grows with each call of this process and, by the clock, across restarts.
    pub fn next_position(&self) -> i64 {
        let now = self.micros();
        let before = self
            .last_position
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| {
                Some(now.max(last + 1))
            })
            .unwrap_or_default();
        now.max(before + 1)
    }

    /// Makes sure that later positions are greater than this one.
    pub fn continue_after(&self, position: i64) {
        self.last_position.fetch_max(position, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_grow_even_when_the_clock_stands_still() {
        let clock = Clock::default();
        clock.continue_after(i64::MAX / 2);
        let first = clock.next_position();
        assert_eq!(first, i64::MAX / 2 + 1);
        assert_eq!(clock.next_position(), first + 1);
    }

    #[test]
    fn secrets_are_256_bits_and_differ() {
        let clock = Clock::default();
        let (a, b) = (clock.secret(), clock.secret());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
