//! Seals that say which key made them, so that the key can be rotated while they are read.

use std::sync::Arc;

use super::{Keys, PurposeKey, Unsealable};

/// Stands before the number of the key. What does not begin with it was sealed with the first key.
const MARK: [u8; 4] = *b"key#";

/// Seals for one purpose; cheap to clone.
#[derive(Clone)]
pub struct SealingKey {
    keys: Keys,
    purpose: Arc<str>,
}

impl SealingKey {
    pub(super) fn new(keys: Keys, purpose: &str) -> Self {
        Self {
            keys,
            purpose: purpose.into(),
        }
    }

    /// Seals a value with the newest key for one place: it opens only with the same `place`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let ring = self.keys.0.ring();
        let number = ring.newest();
        let key = ring.sealing(number, &self.purpose);
        let sealed = key.map(|key| key.seal(place, plain)).unwrap_or_default();
        [front(number), sealed].concat()
    }

    /// Opens what was sealed for this place, with whichever key it says.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let ring = self.keys.0.ring();
        let numbered = number_of(sealed).and_then(|(number, rest)| {
            let key = ring.sealing(number, &self.purpose)?;
            key.open(place, rest).ok()
        });
        numbered.map_or_else(
            // Values without a number begin with a nonce, which may look like one.
            || {
                let key = ring.unnumbered(&self.purpose).ok_or(Unsealable)?;
                key.open(place, sealed)
            },
            Ok,
        )
    }

    /// The key with a number, if it is still there.
    pub fn numbered(&self, number: u32) -> Option<PurposeKey> {
        self.keys.0.ring().sealing(number, &self.purpose)
    }
}

/// What a value begins with that was sealed with a key.
pub(crate) fn front(number: u32) -> Vec<u8> {
    [MARK, number.to_be_bytes()].concat()
}

fn number_of(sealed: &[u8]) -> Option<(u32, &[u8])> {
    let rest = sealed.strip_prefix(MARK.as_slice())?;
    let (number, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(secret)")
    }
}
