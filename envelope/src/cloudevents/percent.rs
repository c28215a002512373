//! Texts in headers: percent-encoded as the CloudEvents protocol bindings ask.

use std::fmt::Write;

/// Encodes whatever is not printable ASCII, and space, `"` and `%`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The text again; nothing when it is not well encoded.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn headers_hold_printable_ascii_only() {
        assert_eq!(
            encode("Euro € 😀 50%\r\n\"x\""),
            "Euro%20%E2%82%AC%20%F0%9F%98%80%2050%25%0D%0A%22x%22"
        );
        assert_eq!(decode("Euro%20%e2%82%AC").as_deref(), Some("Euro €"));
    }

    #[test]
    fn what_is_not_well_encoded_is_refused() {
        for bad in ["%", "%1", "%zz", "%+1", "%FF"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
