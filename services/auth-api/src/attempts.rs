//! How often somebody may be wrong: guessing is slowed down, at one account from one address first, so that whoever
//! guesses does not keep the account's owner out elsewhere. In memory, per process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chassis::keys::PurposeKey;

/// At one account, from one address where that is known.
const MOST_FAILURES: u32 = 10;
/// At one account from all addresses: many machines guess no faster.
const MOST_FAILURES_EVERYWHERE: u32 = 100;
/// From one address at all accounts: one password is not tried on everybody.
const MOST_FAILURES_OF_ADDRESS: u32 = 300;
const WINDOW: Duration = clients::auth::LONGEST_LOCK;
/// More accounts than can be guessed at within the window, since each guess costs a password hash.
const MOST_ACCOUNTS: usize = 100_000;

/// Failures by account; cheap to clone.
#[derive(Clone)]
pub(crate) struct Attempts {
    key: PurposeKey,
    failures: Arc<Mutex<HashMap<Account, Failures>>>,
}

/// An account that somebody tries to get into, or where they try it from: a keyed hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    hash: String,
    most_failures: u32,
}

/// Whoever wants to log in: what a failure is counted for.
#[derive(Clone)]
pub(crate) struct Login {
    account_from_here: Account,
    account: Account,
    here: Account,
}

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
        self.counted(text, MOST_FAILURES)
    }

    /// A login into the account of an e-mail address from a network.
    pub(crate) fn login(&self, email: &str, network: IpAddr) -> Login {
        Login {
            account_from_here: self.account(&format!("email {email} from {network}")),
            account: self.counted(&format!("email {email}"), MOST_FAILURES_EVERYWHERE),
            here: self.counted(&format!("from {network}"), MOST_FAILURES_OF_ADDRESS),
        }
    }

    fn counted(&self, text: &str, most_failures: u32) -> Account {
        Account {
            hash: self.key.hash(text.as_bytes()),
            most_failures,
        }
    }

    /// Whether another login may be tried.
    pub(crate) fn check_login(&self, login: &Login, now: Instant) -> Result<(), TooMany> {
        let all = [&login.account_from_here, &login.account, &login.here];
        all.into_iter().try_for_each(|one| self.check(one, now))
    }

    /// Counts a login that failed.
    pub(crate) fn login_failed(&self, login: Login, now: Instant) {
        for one in [login.account_from_here, login.account, login.here] {
            self.failed(one, now);
        }
    }

    /// Forgets the failures at the account: the person has proved who they are. Whoever guesses at many may have an account too.
    pub(crate) fn logged_in(&self, login: &Login) {
        self.succeeded(&login.account_from_here);
        self.succeeded(&login.account);
    }

    /// Whether another attempt may be made.
    pub(crate) fn check(&self, account: &Account, now: Instant) -> Result<(), TooMany> {
        let failures = self.lock();
        let Some(known) = failures.get(account) else {
            return Ok(());
        };
        let wait = WINDOW.saturating_sub(now.duration_since(known.since));
        if known.count < account.most_failures || wait.is_zero() {
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

    fn network(number: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, number])
    }

    #[test]
    fn who_guesses_at_an_account_does_not_keep_its_owner_out_elsewhere() {
        let (attempts, now) = (Attempts::new(PurposeKey::random()), Instant::now());
        let guess = attempts.login("ada@example.org", network(1));
        for _ in 0..1_000 {
            if attempts.check_login(&guess, now).is_ok() {
                attempts.login_failed(guess.clone(), now);
            }
        }
        assert!(attempts.check_login(&guess, now).is_err());
        let owner = attempts.login("ada@example.org", network(2));
        assert_eq!(attempts.check_login(&owner, now), Ok(()));
    }

    #[test]
    fn one_address_does_not_try_a_password_on_everybody() {
        let (attempts, now) = (Attempts::new(PurposeKey::random()), Instant::now());
        let tried = (0..1_000).filter(|number| {
            let guess = attempts.login(&format!("{number}@example.org"), network(1));
            let may = attempts.check_login(&guess, now).is_ok();
            if may {
                attempts.login_failed(guess, now);
            }
            may
        });
        assert_eq!(tried.count(), 300);
        let other = attempts.login("ada@example.org", network(2));
        assert_eq!(attempts.check_login(&other, now), Ok(()));
    }

    #[test]
    fn many_addresses_guess_at_one_account_no_faster() {
        let (attempts, now) = (Attempts::new(PurposeKey::random()), Instant::now());
        for number in 0..100 {
            attempts.login_failed(attempts.login("ada@example.org", network(number)), now);
        }
        let next = attempts.login("ada@example.org", network(200));
        assert!(attempts.check_login(&next, now).is_err());
        attempts.logged_in(&next);
        assert_eq!(attempts.check_login(&next, now), Ok(()));
    }

    #[test]
    fn a_success_forgives() {
        let now = Instant::now();
        let (attempts, account) = failed_ten_times(now);
        attempts.succeeded(&account);
        assert_eq!(attempts.check(&account, now), Ok(()));
    }
}
