//! The deployment's keys: keyed hashes, which never change, and seals, whose key can be rotated.
//!
//! Every purpose has its own key (HKDF-SHA-256, RFC 5869), so a hash made for one purpose says
//! nothing in another. What they are derived from is the one secret (`master.key`, or
//! `DIPPER_SECRET`) until the first rotation, and since then the key ring that the secret opens.

mod purpose_key;
mod ring;
mod rotation;
mod sealing;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};

use crate::sealed_file::destroy;
pub use purpose_key::{PurposeKey, Unsealable};
pub use ring::HASHING;
use ring::{Ring, WrappedRing};
pub use rotation::{Begun, Finished};
pub use sealing::SealingKey;
pub(crate) use sealing::front;

/// The file that the secret is kept in, unless it is a setting.
const MASTER: &str = "master.key";

/// The deployment's keys; cheap to clone. A rotation by another process is noticed at the next use.
#[derive(Clone)]
pub struct Keys(Arc<Store>);

struct Store {
    secret: MasterSecret,
    /// Where the key ring is; none in tests that have a secret only.
    folder: Option<PathBuf>,
    loaded: RwLock<Loaded>,
}

/// Where the secret comes from.
enum MasterSecret {
    Given(Master),
    InFile,
}

/// The key ring as it was last read, and of which file.
struct Loaded {
    stamp: Option<Stamp>,
    ring: Arc<Ring>,
}

/// Tells one version of the key ring's file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

/// What the secret's text stands for.
#[derive(Clone, Copy)]
struct Master([u8; 32]);

impl Keys {
    /// Keys from a secret text of at least 32 characters, without a key ring.
    pub fn from_secret(secret: &str) -> anyhow::Result<Self> {
        let master = Master::of(secret)?;
        Ok(Self::new(
            MasterSecret::Given(master),
            None,
            Loaded::first(master),
        ))
    }

    /// Keys from a secret text and the key ring in a folder, if there was a rotation.
    pub fn with_secret(secret: &str, folder: &Path) -> anyhow::Result<Self> {
        let master = Master::of(secret)?;
        let loaded = Loaded::read(folder, master)?;
        let secret = MasterSecret::Given(master);
        Ok(Self::new(secret, Some(folder.to_owned()), loaded))
    }

    /// Keys from the file `master.key` in a folder and the key ring beside it; makes folder and file on
    /// first use.
    ///
    /// Processes that start at the same moment agree: the first to create the file wins.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        create_private_folder(folder)?;
        let path = folder.join(MASTER);
        if !path.exists() {
            let draft = folder.join(format!("{MASTER}.{}", uuid::Uuid::new_v4()));
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
        Self::open_existing(folder)
    }

    /// Keys from the file `master.key` in a folder, which must be there.
    pub fn open_existing(folder: &Path) -> anyhow::Result<Self> {
        let loaded = Loaded::read(folder, Master::in_folder(folder)?)?;
        let folder = Some(folder.to_owned());
        Ok(Self::new(MasterSecret::InFile, folder, loaded))
    }

    fn new(secret: MasterSecret, folder: Option<PathBuf>, loaded: Loaded) -> Self {
        Self(Arc::new(Store {
            secret,
            folder,
            loaded: RwLock::new(loaded),
        }))
    }

    /// The key for a purpose, e.g. `"tick-api fingerprint"`: for what is compared later, so a rotation does not
    /// change it. What is to be opened again is sealed with [`Keys::sealing`].
    pub fn purpose(&self, name: &str) -> PurposeKey {
        PurposeKey::from_bytes(self.0.ring().hashing(name))
    }

    /// Seals for a purpose, e.g. `"tick-api private"`, with the newest key, and opens what was sealed with any
    /// that is still there.
    pub fn sealing(&self, purpose: &str) -> SealingKey {
        SealingKey::new(self.clone(), purpose)
    }

    /// The number of the key that seals.
    pub fn newest(&self) -> u32 {
        self.0.ring().newest()
    }
}

impl Store {
    /// The key ring as it is now.
    fn ring(&self) -> Arc<Ring> {
        let stamp = self.folder.as_deref().and_then(Stamp::of_ring);
        {
            let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            // One that was taken away is still known.
            if stamp.is_none() || loaded.stamp == stamp {
                return Arc::clone(&loaded.ring);
            }
        }
        let read = self.read();
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(read) => *loaded = read,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the key ring was changed and cannot be read");
            }
        }
        Arc::clone(&loaded.ring)
    }

    /// Reads secret and ring; once more if a rotation changed them in between.
    fn read(&self) -> anyhow::Result<Loaded> {
        let folder = self.folder()?;
        let once = || Loaded::read(folder, self.master()?);
        once().or_else(|_| once())
    }

    fn master(&self) -> anyhow::Result<Master> {
        match self.secret {
            MasterSecret::Given(master) => Ok(master),
            MasterSecret::InFile => Master::in_folder(self.folder()?),
        }
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        self.folder.as_deref().context("these keys have no folder")
    }
}

impl Loaded {
    fn first(master: Master) -> Self {
        Self {
            stamp: None,
            ring: Arc::new(Ring::first(master)),
        }
    }

    fn read(folder: &Path, master: Master) -> anyhow::Result<Self> {
        let stamp = Stamp::of_ring(folder);
        let Some(wrapped) = WrappedRing::read(folder)? else {
            return Ok(Self::first(master));
        };
        let ring = Arc::new(wrapped.open(master)?.ring);
        Ok(Self { stamp, ring })
    }
}

impl Stamp {
    fn of_ring(folder: &Path) -> Option<Self> {
        let about = std::fs::metadata(folder.join(ring::FILE)).ok()?;
        Some(Self {
            modified: about.modified().ok()?,
            bytes: about.len(),
        })
    }
}

impl Master {
    fn of(secret: &str) -> anyhow::Result<Self> {
        let secret = secret.trim();
        ensure!(
            secret.len() >= 32,
            "the secret must have at least 32 characters"
        );
        Ok(Self(Sha256::digest(secret.as_bytes()).into()))
    }

    fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MASTER);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            !rotation::was_rotated(&text) || folder.join(ring::FILE).exists(),
            "{} opens the key ring {}, which is missing beside it: bring back both",
            path.display(),
            ring::FILE
        );
        Self::of(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// The key for a purpose, derived from another key.
fn derive(from: &[u8; 32], purpose: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    // 32 bytes are far below HKDF's limit of 255 * 32, so this cannot fail.
    let _ = Hkdf::<Sha256>::new(None, from).expand(purpose.as_bytes(), &mut bytes);
    bytes
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(secret)")
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

/// Replaces a file that only its owner may read in one step, and overwrites what it held. Whoever is killed
/// meanwhile does it again.
pub fn replace_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let (draft, old) = (path.with_extension("new"), path.with_extension("old"));
    if let Ok(left) = std::fs::read(&old) {
        if std::fs::read(path)? == left {
            // A second name of what is still in use.
            std::fs::remove_file(&old)?;
        } else {
            destroy(&old)?;
        }
    }
    write_private(&draft, text)?;
    if path.exists() {
        std::fs::hard_link(path, &old)?;
    }
    std::fs::rename(&draft, path)?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    destroy(&old)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_file_that_is_replaced_is_overwritten_whenever_it_was_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.json");
        let (old, draft) = (path.with_extension("old"), path.with_extension("new"));
        let text = || std::fs::read_to_string(&path).unwrap();
        replace_private(&path, "one").unwrap();
        // Before the new one was in place.
        std::fs::hard_link(&path, &old).unwrap();
        std::fs::write(&draft, "half").unwrap();
        replace_private(&path, "two").unwrap();
        assert_eq!(text(), "two");
        // Before the old one was overwritten.
        std::fs::write(&old, "one").unwrap();
        replace_private(&path, "three").unwrap();
        assert_eq!(text(), "three");
        assert!(!old.exists() && !draft.exists());
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Keys::from_secret("short").is_err());
    }
}
