//! The name of a caught mail.

use std::fmt::{self, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::message::message_id;

/// 64 hexadecimal digits: a SHA-256 of what makes a delivery the same delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MailId(String);

impl MailId {
    /// From the `Message-ID`, or from the whole content of a mail without one, and the recipient.
    pub(crate) fn of(content: &[u8], recipient: &str) -> Self {
        let mut hash = Sha256::new();
        if let Some(id) = message_id(content) {
            hash.update(format!("message-id\0{id}\0"));
        } else {
            hash.update("content\0");
            hash.update(content);
            hash.update("\0");
        }
        hash.update(recipient.to_lowercase());
        let mut id = String::with_capacity(64);
        for byte in hash.finalize() {
            // Writing to a string does not fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }

    /// `None` unless it has the one spelling that a mail's name has; so it is always a safe file name.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (id.len() == 64 && id.bytes().all(lower_hex)).then(|| Self(id.to_owned()))
    }

    /// The id of the mail that this file holds by its name.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        Self::parse(path.file_name()?.to_str()?.strip_suffix(".eml")?)
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_id_and_recipient_give_the_same_id() {
        let first = MailId::of(b"Message-ID: <a@b>\r\n\r\none", "Bird@example.test");
        assert_eq!(
            first,
            MailId::of(b"Message-ID: <a@b>\r\nX: y\r\n\r\ntwo", "bird@example.test")
        );
        assert_ne!(
            first,
            MailId::of(b"Message-ID: <a@b>\r\n\r\none", "other@example.test")
        );
        assert_ne!(
            first,
            MailId::of(b"Message-ID: <c@b>\r\n\r\none", "bird@example.test")
        );
    }

    #[test]
    fn without_message_id_the_content_decides() {
        let first = MailId::of(b"Subject: x\r\n\r\none", "bird@example.test");
        assert_eq!(
            first,
            MailId::of(b"Subject: x\r\n\r\none", "bird@example.test")
        );
        assert_ne!(
            first,
            MailId::of(b"Subject: x\r\n\r\ntwo", "bird@example.test")
        );
    }

    #[test]
    fn only_64_lower_case_hex_digits_are_an_id() {
        assert!(MailId::parse(&"0a".repeat(32)).is_some());
        for wrong in [
            "",
            "..",
            &"0A".repeat(32),
            &"0a".repeat(33),
            &"ä".repeat(32),
            &"/a".repeat(32),
        ] {
            assert_eq!(MailId::parse(wrong), None);
        }
    }
}
