//! The key ring: the keys themselves, in a file that the deployment's secret opens.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::{Master, PurposeKey, derive, replace_private};

/// The file's name.
pub(super) const FILE: &str = "ring.json";
const FORMAT: u32 = 1;
/// Where keys are sealed within the file.
const PLACE: &str = "key ring";
/// The number of the key that a deployment begins with.
const FIRST: u32 = 1;

/// The purposes for which hashes are kept or signatures are checked later. The first rotation keeps their keys,
/// which were derived from the secret until then; a new purpose needs no entry.
pub const HASHING: [&str; 11] = [
    "auth-api attempts",
    "auth-api code",
    "auth-api oidc subject",
    "backup manifest",
    "erasure receipt",
    "fence",
    "ledger",
    "mail recipient",
    "tick-api fingerprint",
    "user-api email",
    "user-api request",
];

/// The keys.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Ring {
    /// What keys for hashes are derived from.
    root: [u8; 32],
    /// Keys for hashes that were derived from the first secret.
    kept: BTreeMap<String, [u8; 32]>,
    /// What keys for seals are derived from, by their numbers.
    sealing: BTreeMap<u32, [u8; 32]>,
}

/// The file.
#[derive(Serialize, Deserialize)]
pub(super) struct WrappedRing {
    format: u32,
    /// The key of the rest, sealed for each secret that opens it; the newest is the last.
    key: Vec<WrappedKey>,
    ring: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct WrappedKey {
    /// Which secret opens it, as a keyed hash.
    secret: String,
    sealed: String,
}

/// An opened file.
pub(super) struct OpenRing {
    pub ring: Ring,
    key: PurposeKey,
    wrapped: Vec<WrappedKey>,
}

/// What is sealed in the file; all in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Plain {
    root: String,
    kept: BTreeMap<String, String>,
    sealing: BTreeMap<u32, String>,
}

impl Ring {
    /// Before the first rotation everything is derived from the secret.
    pub fn first(master: Master) -> Self {
        Self {
            root: master.0,
            kept: BTreeMap::new(),
            sealing: BTreeMap::from([(FIRST, master.0)]),
        }
    }

    pub fn hashing(&self, purpose: &str) -> [u8; 32] {
        let kept = self.kept.get(purpose).copied();
        kept.unwrap_or_else(|| derive(&self.root, purpose))
    }

    pub fn sealing(&self, number: u32, purpose: &str) -> Option<PurposeKey> {
        let key = self.sealing.get(&number)?;
        Some(PurposeKey::from_bytes(derive(key, purpose)))
    }

    /// The key that values without a number were sealed with.
    pub fn unnumbered(&self, purpose: &str) -> Option<PurposeKey> {
        self.sealing(FIRST, purpose)
    }

    pub fn newest(&self) -> u32 {
        self.sealing.keys().copied().max().unwrap_or(FIRST)
    }

    pub fn older(&self) -> Vec<u32> {
        let newest = self.newest();
        let older = self.sealing.keys().copied();
        older.filter(|number| *number != newest).collect()
    }

    /// Adds a key, which seals from now on. The first time, nothing is derived from the secret any more:
    /// of that one only the keys for hashes are kept, from which it cannot be computed.
    pub fn renew(&mut self) {
        if self.kept.is_empty() {
            let kept = HASHING.map(|purpose| (purpose.to_owned(), self.hashing(purpose)));
            self.kept = kept.into();
            self.root = rand::random();
        }
        self.sealing.insert(self.newest() + 1, rand::random());
    }

    pub fn drop_older(&mut self) {
        let newest = self.newest();
        self.sealing.retain(|number, _| *number == newest);
    }

    /// Takes in the keys for seals of an older copy of this ring, to open what is restored.
    pub fn admit(&mut self, old: &Self) -> anyhow::Result<()> {
        let is_ours = HASHING
            .iter()
            .all(|purpose| self.hashing(purpose) == old.hashing(purpose));
        ensure!(is_ours, "those are keys of another deployment");
        ensure!(
            old.newest() <= self.newest(),
            "those keys are newer than the ones in use: put them in place of those"
        );
        for (number, key) in &old.sealing {
            self.sealing.entry(*number).or_insert(*key);
        }
        Ok(())
    }
}

impl WrappedRing {
    /// The file in a folder; none before the first rotation.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let damaged = || format!("{} is damaged", path.display());
        let wrapped: Self = serde_json::from_str(&text).with_context(damaged)?;
        ensure!(
            wrapped.format == FORMAT,
            "{} has a format of another version of dipper",
            path.display()
        );
        Ok(Some(wrapped))
    }

    pub fn open(self, master: Master) -> anyhow::Result<OpenRing> {
        let known = self.key.iter().find(|one| one.secret == name_of(master));
        let known = known.context("the key ring is sealed with another secret than this one")?;
        let key = unseal(&wrapping(master), &known.sealed)?;
        let key = PurposeKey::from_bytes(bytes(&key)?);
        let plain: Plain = serde_json::from_slice(&unseal(&key, &self.ring)?)?;
        Ok(OpenRing {
            ring: plain.ring()?,
            key,
            wrapped: self.key,
        })
    }
}

impl OpenRing {
    /// A file that is not there yet, for one secret.
    pub fn new(ring: Ring, master: Master) -> Self {
        let key = PurposeKey::random();
        let wrapped = vec![wrap(&key, master)];
        Self { ring, key, wrapped }
    }

    /// Lets another secret open it, too, as the newest.
    pub fn wrap_for(&mut self, master: Master) {
        self.wrapped.push(wrap(&self.key, master));
    }

    /// Whether an older secret opens it, too.
    pub fn is_for_several(&self) -> bool {
        self.wrapped.len() > 1
    }

    /// Whether a secret is the newest that opens it.
    pub fn is_newest(&self, master: Master) -> bool {
        let newest = self.wrapped.last();
        newest.is_some_and(|newest| newest.secret == name_of(master))
    }

    /// Writes it, and overwrites what was there before.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let plain = serde_json::to_vec(&Plain::of(&self.ring))?;
        let wrapped = WrappedRing {
            format: FORMAT,
            key: self.wrapped.clone(),
            ring: hex::encode(self.key.seal(PLACE, &plain)),
        };
        let text = serde_json::to_string_pretty(&wrapped)?;
        replace_private(&folder.join(FILE), &text)
    }
}

impl Plain {
    fn of(ring: &Ring) -> Self {
        let kept = ring.kept.iter();
        let sealing = ring.sealing.iter();
        Self {
            root: hex::encode(ring.root),
            kept: kept
                .map(|(name, key)| (name.clone(), hex::encode(key)))
                .collect(),
            sealing: sealing
                .map(|(number, key)| (*number, hex::encode(key)))
                .collect(),
        }
    }

    fn ring(self) -> anyhow::Result<Ring> {
        let key = |digits: String| bytes(&hex::decode(digits)?);
        let kept = self.kept.into_iter();
        let sealing = self.sealing.into_iter();
        Ok(Ring {
            root: key(self.root)?,
            kept: kept
                .map(|(name, digits)| Ok((name, key(digits)?)))
                .collect::<anyhow::Result<_>>()?,
            sealing: sealing
                .map(|(number, digits)| Ok((number, key(digits)?)))
                .collect::<anyhow::Result<_>>()?,
        })
    }
}

fn wrapping(master: Master) -> PurposeKey {
    PurposeKey::from_bytes(derive(&master.0, PLACE))
}

fn name_of(master: Master) -> String {
    wrapping(master).hash(b"name")
}

fn wrap(key: &PurposeKey, master: Master) -> WrappedKey {
    WrappedKey {
        secret: name_of(master),
        sealed: hex::encode(wrapping(master).seal(PLACE, key.as_bytes())),
    }
}

fn unseal(key: &PurposeKey, digits: &str) -> anyhow::Result<Vec<u8>> {
    let opened = key.open(PLACE, &hex::decode(digits)?);
    opened.context("the key ring was altered")
}

fn bytes(key: &[u8]) -> anyhow::Result<[u8; 32]> {
    Ok(key.try_into()?)
}
