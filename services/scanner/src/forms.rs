//! The forms in which a text may stand in a store.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;

/// A form in which a text may stand in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// As it is, in upper or lower case.
    Text,
    /// In UTF-16, either byte order.
    Utf16,
    /// In base64, wherever in the encoded bytes it begins.
    Base64,
    /// In hexadecimal digits.
    Hex,
    /// The 16 bytes of a UUID.
    UuidBytes,
    /// A UUID's digits without hyphens.
    UuidSimple,
    /// Escaped as JSON allows it.
    Json,
    /// Escaped as in addresses of the web.
    Percent,
}

impl Form {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Utf16 => "utf-16",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::UuidBytes => "uuid bytes",
            Self::UuidSimple => "uuid digits",
            Self::Json => "json",
            Self::Percent => "percent",
        }
    }

    /// Whether letters count in either case.
    pub const fn ignores_case(self) -> bool {
        !matches!(self, Self::Base64 | Self::UuidBytes)
    }
}

/// Bytes to look for, and what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// Which needle, from 1.
    pub needle: usize,
    pub form: Form,
    pub bytes: Vec<u8>,
}

/// All forms of one needle.
pub(crate) fn patterns(needle: usize, text: &str) -> Vec<Pattern> {
    let mut all: Vec<(Form, Vec<u8>)> = vec![(Form::Text, text.as_bytes().to_vec())];
    all.extend(base64(text.as_bytes()));
    all.push((Form::Hex, hex::encode(text).into_bytes()));
    all.extend([utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)]);
    all.push((Form::Json, json(text, false)));
    all.push((Form::Json, json(text, true)));
    all.push((Form::Percent, percent(text)));
    if let Ok(id) = Uuid::try_parse(text) {
        all.push((Form::UuidBytes, id.as_bytes().to_vec()));
        all.push((Form::UuidSimple, id.simple().to_string().into_bytes()));
        all.push((Form::Text, id.hyphenated().to_string().into_bytes()));
        all.extend(base64(id.as_bytes()));
    }
    let mut patterns: Vec<Pattern> = Vec::new();
    for (form, bytes) in all {
        // An escape that changes nothing is the text itself.
        let is_new = !patterns.iter().any(|known| known.bytes == bytes);
        if is_new && bytes.len() >= crate::SHORTEST {
            patterns.push(Pattern {
                needle,
                form,
                bytes,
            });
        }
    }
    patterns
}

/// What base64 makes of the bytes at each of the three places in a group where they may begin,
/// without the letters that their neighbours have a part in.
fn base64(bytes: &[u8]) -> Vec<(Form, Vec<u8>)> {
    let mut all = Vec::new();
    for before in 0..3_usize {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        // 6 bits a letter: the first whole one, and the last.
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for text in [
            STANDARD_NO_PAD.encode(&padded),
            URL_SAFE_NO_PAD.encode(&padded),
        ] {
            if let Some(own) = text.as_bytes().get(first..last) {
                all.push((Form::Base64, own.to_vec()));
            }
        }
    }
    all
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> (Form, Vec<u8>) {
    (Form::Utf16, text.encode_utf16().flat_map(bytes).collect())
}

/// Escapes what must be, and with `all` also what may be: slashes, and everything beyond ASCII.
fn json(text: &str, all: bool) -> Vec<u8> {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '/' if all => escaped.push_str("\\/"),
            letter if letter.is_control() || all && !letter.is_ascii() => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            letter => escaped.push(letter),
        }
    }
    escaped.into_bytes()
}

fn percent(text: &str) -> Vec<u8> {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02x}");
        }
    }
    escaped.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str, form: Form) -> Vec<String> {
        let patterns = patterns(1, text).into_iter();
        let bytes = patterns
            .filter(|pattern| pattern.form == form)
            .map(|pattern| pattern.bytes);
        bytes
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    #[test]
    fn a_text_is_escaped_as_json_and_addresses_do_it() {
        assert_eq!(
            of("Zoë \"x\"", Form::Json),
            ["Zoë \\\"x\\\"", "Zo\\u00eb \\\"x\\\""]
        );
        assert_eq!(of("a@b.org", Form::Percent), ["a%40b.org"]);
        assert!(of("plain", Form::Json).is_empty(), "it is the text itself");
    }

    #[test]
    fn a_uuid_is_looked_for_in_all_its_spellings() {
        let id = "0192F0C1-7a2b-4c3d-8e4f-5a6b7c8d9e0f";
        let simple = of(id, Form::UuidSimple);
        assert_eq!(simple, ["0192f0c17a2b4c3d8e4f5a6b7c8d9e0f"]);
        let bytes = patterns(1, id)
            .into_iter()
            .find(|pattern| pattern.form == Form::UuidBytes);
        assert_eq!(bytes.unwrap().bytes.len(), 16);
    }

    proptest! {
        #[test]
        fn base64_is_found_whatever_stands_around_it(
            before in proptest::collection::vec(any::<u8>(), 0..20),
            text in "[a-z]{6,40}",
            after in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let all = [before, text.clone().into_bytes(), after].concat();
            for encoded in [STANDARD_NO_PAD.encode(&all), URL_SAFE_NO_PAD.encode(&all)] {
                let is_found = of(&text, Form::Base64).iter().any(|own| encoded.contains(own));
                prop_assert!(is_found, "{encoded}");
            }
        }
    }
}
