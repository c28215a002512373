//! The texts that people are asked to consent to: files of the project, `texts/<purpose>.<language>.txt`. Whoever changes
//! one gives it a new version; what was agreed to is known by its hash.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// Exact places of sightings are kept, and shown where their owner says so.
pub(crate) const PLACES: &str = "places";

/// A text as it is shown.
pub(crate) struct Text {
    /// How it is named: `places.en`.
    pub name: String,
    /// About what.
    pub purpose: &'static str,
    /// Its language as BCP 47.
    pub language: &'static str,
    /// Which version it is.
    pub version: i64,
    /// SHA-256 of its bytes, as hexadecimal digits.
    pub sha256: String,
    /// What it says.
    pub body: &'static str,
}

/// All texts, as they are asked for now.
pub(crate) static CURRENT: LazyLock<Vec<Text>> = LazyLock::new(|| {
    vec![
        text(PLACES, "en", 2, include_str!("../texts/places.en.txt")),
        text(PLACES, "sv", 2, include_str!("../texts/places.sv.txt")),
    ]
});

/// The text with this name.
pub(crate) fn find(name: &str) -> Option<&'static Text> {
    CURRENT.iter().find(|text| text.name == name)
}

fn text(purpose: &'static str, language: &'static str, version: i64, body: &'static str) -> Text {
    Text {
        name: format!("{purpose}.{language}"),
        purpose,
        language,
        version,
        sha256: hex::encode(Sha256::digest(body)),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that was changed without a new version would make the ledger say what nobody was shown.
    #[test]
    fn every_version_of_a_text_has_the_hash_that_it_was_published_with() {
        let published = [
            (
                "places.en",
                2,
                "d5f82ad1eb9960f1160b12e1c74a98849233b3f1c49ecd1947be92b081aafccb",
            ),
            (
                "places.sv",
                2,
                "fc89c7d9109886d2189a31b42fffd5da685dfb94b1ef62a354b514a180d585a9",
            ),
        ];
        let current = CURRENT.iter();
        let current = current.map(|text| (&*text.name, text.version, &*text.sha256));
        assert_eq!(current.collect::<Vec<_>>(), published);
    }
}
