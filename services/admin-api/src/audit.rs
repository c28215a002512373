//! What an audit entry says.

use envelope::UserId;

/// Longest reason, in characters, that the event takes.
const LONGEST_REASON: usize = 500;

/// A role was changed.
pub(crate) const ROLE_CHANGED: &str = "user.role";
/// A person was erased.
pub(crate) const PERSON_ERASED: &str = "gdpr.erased";
/// A service's database is built anew.
pub(crate) const REBUILD_STARTED: &str = "projection.rebuild";
/// A rebuild was ended.
pub(crate) const REBUILD_CANCELLED: &str = "projection.rebuild.cancel";
/// Why a rebuild was ended, which nobody is asked.
pub(crate) const CANCELLED: &str = "Cancelled by an administrator.";
/// Why, when nobody wrote a reason: it was the person's own wish.
pub(crate) const ON_REQUEST: &str = "Erased at the person's own request.";

/// A user, as a target.
pub(crate) fn user_target(user: UserId) -> String {
    format!("user/{user}")
}

/// Why somebody made a change, in their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(String);

impl Reason {
    /// Takes 1 to 500 characters; spaces around them do not count.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_REASON {
            return Err("must have 1 to 500 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not hold line breaks or other control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// The words.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_in_one_line() {
        let longest = "ü".repeat(LONGEST_REASON);
        for good in [" Helps with moderation. ", &longest] {
            assert!(Reason::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "  \n ", "a\nb", &format!("{longest}u")] {
            assert!(Reason::parse(bad).is_err(), "{bad:?}");
        }
    }
}
