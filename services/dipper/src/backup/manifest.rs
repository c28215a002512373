//! What a backup says of itself. It is readable, names nobody, and is sealed against changes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use chassis::keys::{Keys, PurposeKey, write_private};
use chassis::ledger::Head;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const FILE: &str = "manifest.json";
const FORMAT: u32 = 1;
/// The key of backups that do not say theirs.
const FIRST_KEY: u32 = 1;

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// The version of the program that made it.
    dipper: String,
    /// The backup's own key is made for this word.
    id: String,
    /// The number of the deployment's key that it is made from; none in backups from before there were numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    /// When it was begun: nobody who was erased before is in it.
    pub created_at: DateTime<Utc>,
    /// When it is deleted at the latest.
    pub expires_at: DateTime<Utc>,
    /// How far the ledger of erased people was when it was done.
    pub ledger: Head,
    /// What the databases are of; not said in backups of files.
    #[serde(default, skip_serializing_if = "Databases::are_files")]
    pub databases: Databases,
    pub parts: Vec<Part>,
}

/// What databases are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Databases {
    #[default]
    Sqlite,
    Postgres,
}

impl Databases {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
    fn are_files(&self) -> bool {
        *self == Self::Sqlite
    }
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    manifest: Manifest,
    /// A keyed hash of all that stands before.
    seal: String,
}

impl Manifest {
    /// Of a backup that is begun now.
    pub fn begin(
        (id, key): (String, u32),
        created_at: DateTime<Utc>,
        life: std::time::Duration,
    ) -> Self {
        let life = TimeDelta::from_std(life).unwrap_or(TimeDelta::MAX);
        Self {
            format: FORMAT,
            dipper: env!("CARGO_PKG_VERSION").to_owned(),
            id,
            key: Some(key),
            created_at,
            expires_at: created_at
                .checked_add_signed(life)
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
            ledger: Head {
                entries: 0,
                link: String::new(),
            },
            databases: Databases::default(),
            parts: Vec::new(),
        }
    }

    /// The backup's own key.
    pub fn key(&self, keys: &Keys) -> anyhow::Result<PurposeKey> {
        let number = self.key.unwrap_or(FIRST_KEY);
        let key = keys
            .sealing(&format!("backup {}", self.id))
            .numbered(number);
        key.with_context(|| {
            format!("this backup is sealed with key {number}, which a rotation has destroyed: take in those that you kept with `dipper keys admit`, and restore it then")
        })
    }

    /// Adds a file that is whole.
    pub fn add(&mut self, folder: &Path, name: &str) -> anyhow::Result<u64> {
        let part = Part::of(folder, name)?;
        let bytes = part.bytes;
        self.parts.push(part);
        Ok(bytes)
    }

    /// Writes it.
    pub fn write(&self, folder: &Path, keys: &Keys) -> anyhow::Result<()> {
        let sealed = Sealed {
            manifest: self.clone(),
            seal: self.seal(keys)?,
        };
        write_private(&folder.join(FILE), &serde_json::to_string_pretty(&sealed)?)
    }

    /// Reads the manifest of a backup, if this deployment made it and nobody has changed it.
    pub fn read(folder: &Path, keys: &Keys) -> anyhow::Result<Self> {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}: it is no backup", file.display()))?;
        let altered = || format!("{} was altered", file.display());
        let sealed: Sealed = serde_json::from_str(&text).with_context(altered)?;
        ensure!(
            sealed.manifest.format == FORMAT,
            "{} has a format of another version of dipper",
            file.display()
        );
        ensure!(
            sealed.manifest.seal(keys)? == sealed.seal,
            "{} was altered, or made with other keys than those in this data folder",
            file.display()
        );
        Ok(sealed.manifest)
    }

    /// Whether its life is over, by what was set when it was made or by what is set now.
    pub fn is_expired(&self, now: DateTime<Utc>, life: std::time::Duration) -> bool {
        let age = (now - self.created_at).to_std().unwrap_or_default();
        self.expires_at <= now || age >= life
    }

    /// Compares every file with what was written.
    pub fn verify(&self, folder: &Path) -> anyhow::Result<()> {
        for part in &self.parts {
            let there = Part::of(folder, &part.name)?;
            ensure!(
                there == *part,
                "{} of this backup was altered: its bytes are not those that were written",
                part.name
            );
        }
        Ok(())
    }

    fn seal(&self, keys: &Keys) -> anyhow::Result<String> {
        let text = serde_json::to_vec(self)?;
        Ok(keys.purpose("backup manifest").hash(&text))
    }
}

impl Part {
    fn of(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let path = folder.join(name);
        let reading = || {
            let (mut file, mut hash) = (File::open(&path)?, Sha256::new());
            let mut buffer = vec![0; 1024 * 1024];
            let mut bytes = 0;
            loop {
                let read = file.read(&mut buffer)?;
                let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                    return Ok((bytes, hash));
                };
                hash.update(part);
                bytes += read as u64;
            }
        };
        let read: std::io::Result<(u64, Sha256)> = reading();
        let (bytes, hash) = read.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            name: name.to_owned(),
            bytes,
            sha256: hex::encode(hash.finalize()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::from_secret(&secret.repeat(32)).unwrap()
    }

    fn day(number: u64) -> Duration {
        Duration::from_hours(24 * number)
    }

    #[test]
    fn a_manifest_cannot_be_changed_and_is_of_one_deployment() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest::begin(("a".to_owned(), 1), DateTime::UNIX_EPOCH, day(30));
        manifest.write(folder.path(), &keys("a")).unwrap();
        assert_eq!(Manifest::read(folder.path(), &keys("a")).unwrap(), manifest);
        assert!(Manifest::read(folder.path(), &keys("b")).is_err());
        let file = folder.path().join(FILE);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("1970-01-31", "1999-01-31")).unwrap();
        let why = Manifest::read(folder.path(), &keys("a")).unwrap_err();
        assert!(why.to_string().contains("was altered"), "{why}");
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::begin(("a".to_owned(), 1), DateTime::UNIX_EPOCH, day(30));
        std::fs::write(folder.path().join("part"), "bytes").unwrap();
        assert_eq!(manifest.add(folder.path(), "part").unwrap(), 5);
        manifest.verify(folder.path()).unwrap();
        std::fs::write(folder.path().join("part"), "bites").unwrap();
        assert!(manifest.verify(folder.path()).is_err());
        std::fs::remove_file(folder.path().join("part")).unwrap();
        assert!(manifest.verify(folder.path()).is_err());
    }

    #[test]
    fn a_backup_ends_by_the_shorter_of_two_lives() {
        let manifest = Manifest::begin(("a".to_owned(), 1), DateTime::UNIX_EPOCH, day(30));
        let at = |number| DateTime::UNIX_EPOCH + day(number);
        assert!(!manifest.is_expired(at(29), day(30)));
        assert!(manifest.is_expired(at(30), day(60)));
        assert!(manifest.is_expired(at(10), day(10)));
    }
}
