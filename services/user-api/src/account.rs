//! What a person tells about themselves, checked once: address, name, language.

use std::str::FromStr;

/// RFC 5321: no longer path is delivered.
const LONGEST_EMAIL: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 100;
const LONGEST_LOCALE: usize = 35;

/// An e-mail address that mail can be sent to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EmailAddress(String);

impl EmailAddress {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling by which an address is recognised.
    pub(crate) fn recognised_by(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let wrong = "must be an e-mail address such as ada@example.org";
        let (local, domain) = text.rsplit_once('@').ok_or(wrong)?;
        let good = text.len() <= LONGEST_EMAIL && is_local_part(local) && is_domain(domain);
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong)
        }
    }
}

/// Words of letters, digits and the harmless signs, joined by dots: no quoting, no comments.
fn is_local_part(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.len() <= LONGEST_LOCAL_PART
        && text
            .split('.')
            .all(|word| !word.is_empty() && word.bytes().all(is_sign))
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// A name that can be shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Of somebody who told none.
    pub(crate) fn none() -> Self {
        Self(String::new())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if !(1..=LONGEST_NAME).contains(&text.chars().count()) {
            return Err("must be 1 to 100 characters");
        }
        if text
            .chars()
            .any(|letter| letter.is_control() || turns_text(letter))
        {
            return Err("must not hold control characters");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Characters that turn the direction of text around make one name look like another.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A language as BCP 47.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Locale(String);

impl Locale {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl FromStr for Locale {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tags = text.split('-');
        let language = tags.next().unwrap_or_default();
        let good = text.len() <= LONGEST_LOCALE
            && (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            && tags.all(|tag| {
                (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a language such as en or pt-BR")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_recognised_in_any_case() {
        let address: EmailAddress = " Ada.L+birds@Example.org ".parse().unwrap();
        assert_eq!(address.as_str(), "Ada.L+birds@Example.org");
        assert_eq!(address.recognised_by(), "ada.l+birds@example.org");
        assert!("root@localhost".parse::<EmailAddress>().is_ok());
    }

    #[test]
    fn what_mail_cannot_be_sent_to_is_no_address() {
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "ada@exa mple.org",
            "ada@example..org",
            ".ada@example.org",
            "ada@-example.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "<ada@example.org>",
            "ada@b@example.org",
            &format!("{}@example.org", "a".repeat(65)),
            &format!("a@{}.org", "b".repeat(64)),
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_are_short_and_on_one_line() {
        assert_eq!(
            " Zoë Šimůnková ".parse::<Name>().ok().unwrap().as_str(),
            "Zoë Šimůnková"
        );
        for text in ["", "   ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        assert!("é".repeat(100).parse::<Name>().is_ok());
    }

    #[test]
    fn languages_look_like_bcp_47() {
        for text in ["en", "en-GB", "zh-Hant-TW", "gsw"] {
            assert!(text.parse::<Locale>().is_ok(), "{text}");
        }
        for text in ["", "e", "english", "en_GB", "en-", "en-toolongtag"] {
            assert!(text.parse::<Locale>().is_err(), "{text}");
        }
    }
}
