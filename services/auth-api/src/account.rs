//! What an account is made of, parsed at the edge. The words of a refusal follow the field's name:
//! "/email must be ...".

const LONGEST_EMAIL: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_LABEL: usize = 63;
const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=200;
const LONGEST_NAME: usize = 100;

/// What may stand before the `@` beside letters and digits (RFC 5322, without quoting).
const LOCAL_PUNCTUATION: &str = "!#$%&'*+-/=?^_`{|}~";

/// An e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

/// A password that may be chosen.
pub(crate) struct Password(String);

/// A name that may be shown.
pub(crate) struct Name(String);

impl Email {
    /// Takes `local@domain` of at most 254 characters; spaces around it do not count.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let parts = text.split_once('@');
        let valid = parts.is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
        if !valid || text.len() > LONGEST_EMAIL {
            return Err(
                "must be an e-mail address like ada@example.org, of at most 254 characters",
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// The same for all ways of writing one address.
    pub(crate) fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

fn is_local_part(text: &str) -> bool {
    let is_atom = |atom: &str| {
        let mut letters = atom.chars();
        !atom.is_empty()
            && letters.all(|c| c.is_ascii_alphanumeric() || LOCAL_PUNCTUATION.contains(c))
    };
    text.len() <= LONGEST_LOCAL_PART && text.split('.').all(is_atom)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').all(is_label)
}

impl Password {
    /// Takes 8 to 200 characters of any kind, unchanged.
    pub(crate) fn parse(text: String) -> Result<Self, &'static str> {
        if PASSWORD_CHARACTERS.contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err("must have 8 to 200 characters")
        }
    }

    /// The password itself.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Whether this can be somebody's password; what nobody can have need not be hashed.
pub(crate) fn may_be_a_password(text: &str) -> Result<(), &'static str> {
    match text.chars().count() {
        0 => Err("must not be empty"),
        length if length > *PASSWORD_CHARACTERS.end() => Err("must have at most 200 characters"),
        _ => Ok(()),
    }
}

impl Name {
    /// Takes 1 to 100 characters, none of which is a control character; spaces around it do not
    /// count.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_NAME {
            return Err("must have 1 to 100 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not hold line breaks or other control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name itself.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_local_part_one_at_sign_and_a_domain() {
        let long = format!("a@{}.org", "b".repeat(250));
        let long_label = format!("a@{}.org", "b".repeat(64));
        for good in ["ada@example.org", " Ada.L+x@a-b.example ", "a@localhost"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@",
            "a@",
            "@b.org",
            "a@b@c.org",
            "a b@c.org",
            "a@b..org",
            ".a@b.org",
            "a@-b.org",
            "a@b.org\r\nBcc: c@d.org",
            "a@[1.2.3.4]",
            "ä@b.org",
            &long,
            &long_label,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_address_in_two_spellings_is_one_address() {
        let normal = |text| Email::parse(text).map(|email| email.normalised());
        assert_eq!(normal(" Ada@Example.ORG"), normal("ada@example.org"));
    }

    #[test]
    fn passwords_are_counted_in_characters_and_kept_as_they_are() {
        assert!(Password::parse("1234567".to_owned()).is_err());
        assert!(Password::parse("ü".repeat(200)).is_ok());
        assert!(Password::parse("ü".repeat(201)).is_err());
        let spaced = Password::parse("  spaced  ".to_owned()).map(Password::into_string);
        assert_eq!(spaced, Ok("  spaced  ".to_owned()));
    }

    #[test]
    fn a_name_is_one_line() {
        assert!(Name::parse(" Ada Lovelace ").is_ok());
        for bad in ["", "   ", "Ada\nLovelace", "Ada\u{0}", &"a".repeat(101)] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }
}
