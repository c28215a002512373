//! The broker refuses what a login does. It says so beside the connection, and whoever asked would only wait.

use async_nats::{Event, ServerError};

use super::without_key;

/// What answers go to. One that is late is refused, since its asker waits no longer: that is no mistake.
const INBOXES: &str = "_INBOX";

/// What was refused to whom.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The login itself.
    #[error(
        "the broker refuses the login of {login}: name a credentials file with its current password in DIPPER_NATS_CREDENTIALS"
    )]
    Login {
        /// Whose it is.
        login: String,
    },
    /// Something that it did.
    #[error(
        "the broker refuses {login} to {act} {subject}: bring its permissions to what `dipper catalogue export --format nats DIR` writes, and reload it"
    )]
    Act {
        /// Whose login it is.
        login: String,
        /// `publish to` or `subscribe to`.
        act: &'static str,
        /// Which subject, without its key.
        subject: String,
    },
}

impl Refused {
    /// What an event of the connection says, if that is a refusal.
    pub(super) fn told_by(login: &str, event: &Event) -> Option<Self> {
        let login = login.to_owned();
        let text = match event {
            Event::ServerError(ServerError::AuthorizationViolation) => {
                return Some(Self::Login { login });
            }
            Event::ServerError(ServerError::Other(text)) => text,
            _ => return None,
        };
        let (act, subject) = [
            ("publish to", "Permissions Violation for Publish to \""),
            (
                "subscribe to",
                "Permissions Violation for Subscription to \"",
            ),
        ]
        .into_iter()
        .find_map(|(act, front)| Some((act, text.strip_prefix(front)?.split('"').next()?)))?;
        if act == "publish to" && subject.starts_with(INBOXES) {
            return None;
        }
        Some(Self::Act {
            login,
            act,
            subject: public(subject),
        })
    }
}

/// What the broker and our services are asked names nobody; the key of an event may.
fn public(subject: &str) -> String {
    if ["$", "svc.", "_"]
        .iter()
        .any(|front| subject.starts_with(front))
    {
        subject.to_owned()
    } else {
        without_key(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        let event = Event::ServerError(ServerError::Other(text.to_owned()));
        Refused::told_by("notifier", &event).map(|refused| refused.to_string())
    }

    #[test]
    fn a_refusal_names_login_and_subject_and_no_person() {
        let person = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
        let text = format!("Permissions Violation for Publish to \"gdpr.delete.v1.{person}\"");
        let said = refused(&text).unwrap();
        assert!(
            said.starts_with("the broker refuses notifier to publish to gdpr.delete.v1: "),
            "{said}"
        );
        assert!(!said.contains(person));
        let said = refused("Permissions Violation for Subscription to \">\" using queue \"all\"");
        assert!(said.unwrap().contains("notifier to subscribe to >"));
        let said = refused("Permissions Violation for Publish to \"$JS.API.STREAM.PURGE.TICK\"");
        assert!(
            said.unwrap()
                .contains("publish to $JS.API.STREAM.PURGE.TICK:")
        );
    }

    #[test]
    fn a_late_answer_and_other_troubles_end_nobody() {
        assert_eq!(
            refused("Permissions Violation for Publish to \"_INBOX_tick_api.x.y\""),
            None
        );
        assert_eq!(refused("Stale Connection"), None);
    }

    #[test]
    fn a_login_that_is_refused_is_told() {
        let event = Event::ServerError(ServerError::AuthorizationViolation);
        let said = Refused::told_by("notifier", &event).unwrap().to_string();
        assert!(said.contains("the login of notifier"), "{said}");
    }
}
