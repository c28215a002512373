//! What an audit entry says.

use chassis::unit_of_work::{Draft, Work};
use envelope::{UserId, admin};

use crate::App;
use crate::error::Error;
use crate::store::{self, Entry};

/// Longest reason, in characters, that the event takes.
const LONGEST_REASON: usize = 500;

/// A role was changed.
pub(crate) const ROLE_CHANGED: &str = "user.role";
/// Somebody's account was looked for.
pub(crate) const USER_LOOKED_UP: &str = "user.find";
/// Somebody was logged out everywhere.
pub(crate) const SESSIONS_ENDED: &str = "user.logout";
/// Somebody was shut out for a time.
pub(crate) const USER_SUSPENDED: &str = "user.suspend";
/// Somebody was let in again.
pub(crate) const SUSPENSION_LIFTED: &str = "user.suspend.lift";
/// A photo was hidden.
pub(crate) const IMAGE_HIDDEN: &str = "image.hide";
/// A hidden photo was shown again.
pub(crate) const IMAGE_SHOWN: &str = "image.unhide";
/// A report or an appeal changed nothing.
pub(crate) const IMAGE_DISMISSED: &str = "image.dismiss";
/// A person was erased.
pub(crate) const PERSON_ERASED: &str = "gdpr.erased";
/// A request to be erased was given more time.
pub(crate) const ERASURE_EXTENDED: &str = "gdpr.extend";
/// A request to be erased was taken up out of turn.
pub(crate) const ERASURE_RETRIED: &str = "gdpr.retry";
/// The receipt of an erasure was taken.
pub(crate) const RECEIPT_TAKEN: &str = "gdpr.receipt";
/// What a dead letter holds was looked at, personal fields and all.
pub(crate) const LETTER_UNMASKED: &str = "dead-letters.unmask";
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

/// Tells what an admin did: the entry is in the log when the change is committed, and the event
/// brings it again, to the same row.
pub(crate) async fn record(work: &mut Work, audit: admin::Audit) -> Result<(), Error> {
    let by = audit.admin.id;
    let id = work.publish(Draft::new(audit.clone()))?;
    let entry = Entry {
        id: id.0,
        at: work.clock().micros(),
        action: audit.action,
        target: audit.target,
        reason: audit.reason,
    };
    store::add(work, Some(by), &entry).await?;
    Ok(())
}

/// The same by itself, after a change that another service made: what was done, to what, and why.
pub(crate) async fn tell(
    app: &App,
    by: UserId,
    (action, target): (&str, String),
    reason: String,
) -> Result<(), Error> {
    let audit = admin::Audit {
        admin: by.into(),
        action: action.to_owned(),
        target,
        reason,
    };
    let mut work = app.database.begin().await?;
    if work.is_erased(by.0).await? {
        return Err(Error::Erased);
    }
    record(&mut work, audit).await?;
    work.commit().await?;
    Ok(())
}

/// The same about a user, unless they were erased meanwhile.
pub(crate) async fn tell_of_user(
    app: &App,
    by: UserId,
    (action, user): (&str, UserId),
    reason: String,
) -> Result<(), Error> {
    let audit = admin::Audit {
        admin: by.into(),
        action: action.to_owned(),
        target: user_target(user),
        reason,
    };
    let mut work = app.database.begin().await?;
    if !work.erased_among(&[by.0, user.0]).await?.is_empty() {
        return Err(Error::Erased);
    }
    record(&mut work, audit).await?;
    work.commit().await?;
    Ok(())
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
