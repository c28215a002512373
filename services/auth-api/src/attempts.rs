//! How often somebody may be wrong: guessing one account's password is slowed down, whoever
//! guesses. In memory, per process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chassis::keys::PurposeKey;

const MOST_FAILURES: u32 = 10;
const WINDOW: Duration = clients::auth::LONGEST_LOCK;
/// More accounts than can be guessed at within the window, since each guess costs a password hash.
const MOST_ACCOUNTS: usize = 100_000;

/// Failures by account; cheap to clone.
#[derive(Clone)]
pub(crate) struct Attempts {
    key: PurposeKey,
    failures: Arc<Mutex<HashMap<Account, Failures>>>,
}

/// An account that somebody tries to get into: a keyed hash of its address or user id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Account(String);

struct Failures {
    since: Instant,
    count: u32,
}

/// Too many failures; nothing is tried before this time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) wait: Duration,
}

impl Attempts {
    pub(crate) fn new(key: PurposeKey) -> Self {
        Self {
            key,
            failures: Arc::default(),
        }
    }

    /// The account that this text stands for.
    pub(crate) fn account(&self, text: &str) -> Account {
        Account(self.key.hash(text.as_bytes()))
    }

    /// Whether another attempt may be made.
    pub(crate) fn check(&self, account: &Account, now: Instant) -> Result<(), TooMany> {
        let failures = self.lock();
        let Some(known) = failures.get(account) else {
            return Ok(());
        };
        let wait = WINDOW.saturating_sub(now.duration_since(known.since));
        if known.count < MOST_FAILURES || wait.is_zero() {
            Ok(())
        } else {
            Err(TooMany { wait })
        }
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, account: Account, now: Instant) {
        let is_over = |known: &Failures| now.duration_since(known.since) >= WINDOW;
        let mut failures = self.lock();
        if failures.len() >= MOST_ACCOUNTS {
            failures.retain(|_, known| !is_over(known));
        }
        let fresh = Failures {
            since: now,
            count: 0,
        };
        let known = failures.entry(account).or_insert(fresh);
        if is_over(known) {
            *known = Failures {
                since: now,
                count: 0,
            };
        }
        known.count += 1;
    }

    /// Forgets the failures: the person has proved who they are.
    pub(crate) fn succeeded(&self, account: &Account) {
        self.lock().remove(account);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Account, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed_ten_times(now: Instant) -> (Attempts, Account) {
        let attempts = Attempts::new(PurposeKey::random());
        let account = attempts.account("ada@example.org");
        for _ in 0..MOST_FAILURES {
            assert_eq!(attempts.check(&account, now), Ok(()));
            attempts.failed(account.clone(), now);
        }
        (attempts, account)
    }

    #[test]
    fn after_ten_failures_an_account_rests_until_the_window_is_over() {
        let now = Instant::now();
        let (attempts, account) = failed_ten_times(now);
        let later = now + Duration::from_mins(4);
        let wait = Duration::from_mins(1);
        assert_eq!(attempts.check(&account, later), Err(TooMany { wait }));
        assert_eq!(attempts.check(&account, now + WINDOW), Ok(()));
        attempts.failed(account.clone(), now + WINDOW);
        assert_eq!(attempts.check(&account, now + WINDOW), Ok(()));
    }

    #[test]
    fn other_accounts_are_not_slowed_down() {
        let now = Instant::now();
        let (attempts, _) = failed_ten_times(now);
        let other = attempts.account("bob@example.org");
        assert_eq!(attempts.check(&other, now), Ok(()));
    }

    #[test]
    fn a_success_forgives() {
        let now = Instant::now();
        let (attempts, account) = failed_ten_times(now);
        attempts.succeeded(&account);
        assert_eq!(attempts.check(&account, now), Ok(()));
    }
}
