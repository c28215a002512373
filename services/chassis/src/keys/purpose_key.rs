//! One key: hashes and seals.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const NONCE_BYTES: usize = 24;

/// HMAC fills shorter keys up to this with zeros (RFC 2104, 2).
const BLOCK_BYTES: usize = 64;

/// A key for one purpose.
#[derive(Clone)]
pub struct PurposeKey {
    bytes: [u8; 32],
    /// Has taken the key in already, which is half of the work for a short text.
    mac: Hmac<Sha256>,
}

/// Why a sealed value did not open: altered, moved to another place, or sealed with another key.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened with this key in this place")]
pub struct Unsealable;

impl PurposeKey {
    /// A new random key, e.g. one user's own.
    pub fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    /// The key's bytes, to be sealed by another key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// A key from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut block = [0; BLOCK_BYTES];
        let (front, _) = block.split_at_mut(bytes.len());
        front.copy_from_slice(&bytes);
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
        Self { bytes, mac }
    }

    /// A key for a part of the purpose.
    pub fn part(&self, name: &str) -> Self {
        Self::from_bytes(self.digest(name.as_bytes()))
    }

    /// Keyed hash (HMAC-SHA-256) as 64 hexadecimal digits.
    pub fn hash(&self, data: &[u8]) -> String {
        hex::encode(self.digest(data))
    }

    /// Keyed hash (HMAC-SHA-256).
    pub fn digest(&self, data: &[u8]) -> [u8; 32] {
        let mac = self.mac.clone().chain_update(data);
        mac.finalize().into_bytes().into()
    }

    /// Seals a value (XChaCha20-Poly1305, random nonce in front) for one place: it opens only
    /// with the same `place`, so it cannot be moved to another row or column.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        // Encryption fails only beyond 256 GB.
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: place.as_bytes(),
                },
            )
            .unwrap_or_default();
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Opens what [`PurposeKey::seal`] sealed for this place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, body) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Unsealable)?;
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| Unsealable)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.bytes))
    }
}

impl std::fmt::Debug for PurposeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PurposeKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    fn key() -> PurposeKey {
        Keys::from_secret("0123456789abcdef0123456789abcdef")
            .unwrap()
            .purpose("test")
    }

    /// Python's `hmac` answers the same; what was hashed years ago has to be found by it.
    #[test]
    fn a_hash_is_hmac_sha_256() {
        let key = PurposeKey::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        let expected = "c1a1fa641570b83f495f3383bc5dc78e55680e8d106188a831f78f61dd9a1fbb";
        assert_eq!(key.hash(b"a dipper dives"), expected);
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_unaltered() {
        let mut sealed = key().seal("user 1 name", b"Ada");
        assert_eq!(key().open("user 1 name", &sealed).unwrap(), b"Ada");
        assert!(key().open("user 2 name", &sealed).is_err());
        if let Some(last) = sealed.last_mut() {
            *last ^= 1;
        }
        assert!(key().open("user 1 name", &sealed).is_err());
        assert!(key().open("user 1 name", b"short").is_err());
    }
}
