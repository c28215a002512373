//! Keys derived from the deployment's one secret: keyed hashes and sealed fields.
//!
//! Every purpose has its own key (HKDF-SHA-256, RFC 5869), so a hash made for one purpose says
//! nothing in another.

use std::path::Path;

use anyhow::{Context as _, ensure};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

const NONCE_BYTES: usize = 24;

/// The deployment's secret; makes a key for each purpose.
#[derive(Clone)]
pub struct Keys {
    master: [u8; 32],
}

/// A key for one purpose.
#[derive(Clone)]
pub struct PurposeKey {
    bytes: [u8; 32],
}

/// Why a sealed value did not open: altered, moved to another place, or sealed with another key.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened with this key in this place")]
pub struct Unsealable;

impl Keys {
    /// Keys from a secret text of at least 32 characters.
    pub fn from_secret(secret: &str) -> anyhow::Result<Self> {
        let secret = secret.trim();
        ensure!(
            secret.len() >= 32,
            "the secret must have at least 32 characters"
        );
        Ok(Self {
            master: Sha256::digest(secret.as_bytes()).into(),
        })
    }

    /// Keys from the file `master.key` in a folder; makes both on first use.
    ///
    /// Processes that start at the same moment agree: the first to create the file wins.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        create_private_folder(folder)?;
        let path = folder.join("master.key");
        if !path.exists() {
            let draft = folder.join(format!("master.key.{}", uuid::Uuid::new_v4()));
            write_private(&draft, &hex::encode(rand::random::<[u8; 32]>()))?;
            // Fails when another process was first, which is as good.
            let linked = std::fs::hard_link(&draft, &path);
            std::fs::remove_file(&draft)?;
            ensure!(
                linked.is_ok() || path.exists(),
                "cannot write {}",
                path.display()
            );
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_secret(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The key for a purpose, e.g. `"tick-api fence"`.
    pub fn purpose(&self, name: &str) -> PurposeKey {
        let mut bytes = [0; 32];
        // 32 bytes are far below HKDF's limit of 255 * 32, so this cannot fail.
        let _ = Hkdf::<Sha256>::new(None, &self.master).expand(name.as_bytes(), &mut bytes);
        PurposeKey { bytes }
    }
}

impl PurposeKey {
    /// A new random key, e.g. one user's own.
    pub fn random() -> Self {
        Self {
            bytes: rand::random(),
        }
    }

    /// The key's bytes, to be sealed by another key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// A key from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes }
    }

    /// Keyed hash (HMAC-SHA-256) as 64 hexadecimal digits.
    pub fn hash(&self, data: &[u8]) -> String {
        // HMAC takes keys of any length, so this cannot fail.
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.bytes)
            .map(|mut mac| {
                mac.update(data);
                hex::encode(mac.finalize().into_bytes())
            })
            .unwrap_or_default()
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

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(secret)")
    }
}

impl std::fmt::Debug for PurposeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PurposeKey(secret)")
    }
}

/// Makes a folder (and its parents) that only its owner may enter. One that is there stays as it is:
/// what it is open to was somebody's choice.
pub fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| {
        format!(
            "cannot make the folder {}: choose one you may write to with --data-dir",
            folder.display()
        )
    })
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PurposeKey {
        Keys::from_secret("0123456789abcdef0123456789abcdef")
            .unwrap()
            .purpose("test")
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

    #[test]
    fn purposes_do_not_share_hashes() {
        let keys = Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap();
        assert_ne!(keys.purpose("a").hash(b"x"), keys.purpose("b").hash(b"x"));
        assert_eq!(keys.purpose("a").hash(b"x").len(), 64);
    }

    #[test]
    fn the_key_file_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path()).unwrap().purpose("a").hash(b"x");
        assert_eq!(
            Keys::open(folder.path()).unwrap().purpose("a").hash(b"x"),
            first
        );
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Keys::from_secret("short").is_err());
    }
}
