//! Secrets that are given out, and what is kept of them.

use chassis::clock::Clock;
use chassis::keys::PurposeKey;
use chrono::Duration;
use clients::caller::token_hash;
use envelope::UserId;

/// How long a session lasts.
pub(crate) const SESSION_LASTS: Duration = Duration::days(30);
/// How long the link of a confirmation mail is good.
pub(crate) const CONFIRMATION_LASTS: Duration = Duration::hours(24);
/// How long the link to a new password is good.
pub(crate) const RESET_LASTS: Duration = Duration::hours(1);
/// How long a log-in with the provider may take, there and here.
pub(crate) const LOG_IN_LASTS: Duration = Duration::minutes(10);
/// How long a mailed code is good.
pub(crate) const CODE_LASTS: Duration = Duration::minutes(15);

const CODES: u64 = 100_000_000;
const PASSWORD_DIGITS: usize = 24;

/// A token and the hash that is kept of it.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) hash: String,
}

/// A new token of 256 random bits.
pub(crate) fn token(clock: &Clock) -> Token {
    let text = clock.secret();
    let hash = token_hash(&text);
    Token { text, hash }
}

/// A new code of eight decimal digits.
pub(crate) fn code(clock: &Clock) -> String {
    let secret = clock.secret();
    let number = secret
        .get(..16)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .unwrap_or_default();
    // 2^64 is so much larger that no code is noticeably likelier than another.
    format!("{:08}", number % CODES)
}

/// A new code for recovery of 40 random bits, in two halves that are easy to copy.
pub(crate) fn recovery_code(clock: &Clock) -> String {
    let secret = clock.secret();
    let half = |from: usize| secret.get(from..from + 5).unwrap_or_default();
    format!("{}-{}", half(0), half(5))
}

/// What is kept of a code: bound to its user, and keyed, since codes are few.
pub(crate) fn code_hash(key: &PurposeKey, user: UserId, code: &str) -> String {
    key.hash(format!("{user} {}", code.trim()).as_bytes())
}

/// A password of 96 random bits.
pub(crate) fn password(clock: &Clock) -> String {
    let mut secret = clock.secret();
    secret.truncate(PASSWORD_DIGITS);
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_eight_digits() {
        let clock = Clock::default();
        for _ in 0..100 {
            let code = code(&clock);
            assert!(
                code.len() == 8 && code.chars().all(|c| c.is_ascii_digit()),
                "{code}"
            );
        }
    }

    #[test]
    fn a_code_is_good_for_its_user_only() {
        let key = PurposeKey::random();
        let [ada, bob] = [(); 2].map(|()| UserId(uuid::Uuid::new_v4()));
        let hash = code_hash(&key, ada, "01234567");
        assert_eq!(hash, code_hash(&key, ada, " 01234567 "));
        assert_ne!(hash, code_hash(&key, bob, "01234567"));
    }

    #[test]
    fn a_made_password_is_one_that_may_be_chosen() {
        let made = password(&Clock::default());
        assert_eq!(made.len(), PASSWORD_DIGITS);
        assert!(crate::account::Password::parse(made).is_ok());
    }
}
