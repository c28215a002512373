//! What a login may do at the broker, in the words of a server's configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What a server takes at most, in its own notation. No event and no question comes near the largest message; parts of
/// streams that are restored do.
pub const LIMITS: &str =
    "max_payload: 1MB\nmax_control_line: 4KB\nmax_subscriptions: 1024\nmax_connections: 512\n";

/// Subjects that are allowed, and among them those that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Allowed, with wildcards.
    pub allow: BTreeSet<String>,
    /// Not allowed in spite of that.
    pub deny: BTreeSet<String>,
}

impl Grant {
    /// Allows subjects.
    pub fn allow<S: Into<String>>(&mut self, subjects: impl IntoIterator<Item = S>) {
        self.allow.extend(subjects.into_iter().map(Into::into));
    }

    /// Forbids subjects that are allowed otherwise.
    pub fn deny<S: Into<String>>(&mut self, subjects: impl IntoIterator<Item = S>) {
        self.deny.extend(subjects.into_iter().map(Into::into));
    }

    fn write(&self, to: &mut String, name: &str) {
        // Writing to a text never fails.
        let _ = writeln!(to, "        {name}: {{");
        for (word, subjects) in [("allow", &self.allow), ("deny", &self.deny)] {
            if subjects.is_empty() {
                continue;
            }
            let _ = writeln!(to, "          {word}: [");
            for subject in subjects {
                let _ = writeln!(to, "            \"{subject}\"");
            }
            *to += "          ]\n";
        }
        *to += "        }\n";
    }
}

/// What one login may do. What is not named is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The login's name.
    pub login: String,
    /// What it may publish: events, questions, what it asks of JetStream, acknowledgements.
    pub publish: Grant,
    /// What it may subscribe to: its own inbox, and what it is asked.
    pub subscribe: Grant,
    /// Whether it may answer what it is asked, once, wherever the asker wants the answer.
    pub answers: bool,
}

impl Permissions {
    /// Nothing yet.
    pub fn of(login: &str) -> Self {
        Self {
            login: login.to_owned(),
            ..Self::default()
        }
    }

    /// Everything: for tests.
    pub fn all(login: &str) -> Self {
        let mut all = Self::of(login);
        all.publish.allow([">"]);
        all.subscribe.allow([">"]);
        all
    }
}

/// The section of a server's configuration that lets logins in, with their passwords in its notation.
pub(super) fn authorization<'a>(logins: impl Iterator<Item = (&'a Permissions, String)>) -> String {
    let mut text = "authorization {\n  users: [\n".to_owned();
    for (one, password) in logins {
        let login = &one.login;
        let _ = write!(
            text,
            "    {{\n      user: \"{login}\"\n      password: {password}\n      permissions: {{\n"
        );
        one.publish.write(&mut text, "publish");
        one.subscribe.write(&mut text, "subscribe");
        if one.answers {
            text += "        allow_responses: { max: 1, expires: \"1m\" }\n";
        }
        text += "      }\n    }\n";
    }
    text += "  ]\n}\n";
    text
}

/// The same for a server that is not ours to start: it finds the passwords in its environment, as
/// `DIPPER_NATS_PASSWORD_TICK_API`.
pub fn authorization_from_environment(permissions: &[Permissions]) -> String {
    authorization(permissions.iter().map(|one| {
        let name = one.login.replace('-', "_").to_uppercase();
        (one, format!("$DIPPER_NATS_PASSWORD_{name}"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_stands_below_what_is_allowed() {
        let mut reader = Permissions::of("reader");
        reader.publish.allow(["$JS.ACK.>"]);
        reader.publish.deny(["$JS.ACK.*.tick-api.>"]);
        reader.subscribe.allow(["_INBOX_reader.>"]);
        let text = authorization_from_environment(&[reader]);
        let allow = text.find("\"$JS.ACK.>\"").unwrap();
        assert!(allow < text.find("deny: [").unwrap(), "{text}");
        assert!(
            text.contains("password: $DIPPER_NATS_PASSWORD_READER\n"),
            "{text}"
        );
        assert!(!text.contains("allow_responses"), "{text}");
    }
}
