//! The ledger of tombstones: who was erased, as keyed hashes, for as long as a backup may hold them.
//! It is in no backup, so that whatever is restored, everybody who was erased since is erased again.
//!
//! One file, to which lines are appended and flushed; see [`chain`].

pub mod chain;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

pub use chain::{Chain, Head, Standing, Tombstone};

use crate::keys::{Keys, PurposeKey, create_private_folder, write_private};
use chain::Broken;

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It is not there.
    #[error(
        "the ledger of erased people is missing: {0} is not there; bring it back, or name its folder with DIPPER_LEDGER"
    )]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("the ledger of erased people {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// Its lines are not what was written.
    #[error(
        "the ledger of erased people {0} is damaged: {1}; bring back a copy that is not older than it was"
    )]
    Damaged(PathBuf, #[source] Broken),
    /// It lacks what was once in it.
    #[error(
        "the ledger of erased people {file} is {why} the one that was recorded ({recorded} erasures): bring that one back"
    )]
    Wrong {
        /// Where it is.
        file: PathBuf,
        /// How it differs.
        why: &'static str,
        /// How far the recorded one was.
        recorded: u64,
    },
    /// It no longer knows all who were erased since a head was recorded.
    #[error(
        "the ledger of erased people {0} has let go of tombstones that came after this backup: the backup is past its life"
    )]
    Beyond(PathBuf),
}

/// A ledger on the disk; cheap to clone. Its calls block: they wait for the disk.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: PathBuf,
    key: PurposeKey,
}

impl Ledger {
    /// The ledger in a folder, whether it is there or not.
    pub fn new(folder: &Path, keys: &Keys) -> Self {
        Self {
            folder: folder.to_owned(),
            key: keys.purpose("ledger"),
        }
    }

    /// Its file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("tombstones")
    }

    /// Makes an empty one, unless there is one.
    pub fn create(&self) -> anyhow::Result<()> {
        create_private_folder(&self.folder)?;
        let _lock = self.lock()?;
        if self.file().exists() {
            return Ok(());
        }
        self.replace(&Chain::new(self.key.clone()))?;
        Ok(())
    }

    /// What is in it, with all links checked.
    pub fn read(&self) -> Result<Chain, LedgerError> {
        let text = match std::fs::read_to_string(self.file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::Missing(self.file()));
            }
            Err(error) => return Err(self.io(error)),
        };
        Chain::read(whole_lines(&text), self.key.clone())
            .map_err(|broken| LedgerError::Damaged(self.file(), broken))
    }

    /// What is in it, if it goes on from a head that was recorded.
    pub fn read_from(&self, recorded: &Head) -> Result<Chain, LedgerError> {
        let chain = self.read()?;
        let wrong = |why| LedgerError::Wrong {
            file: self.file(),
            why,
            recorded: recorded.entries,
        };
        match chain.standing(recorded) {
            Standing::Continues => Ok(chain),
            Standing::Older => Err(wrong("older than")),
            Standing::Another => Err(wrong("another than")),
            Standing::Beyond => Err(LedgerError::Beyond(self.file())),
        }
    }

    /// Writes a tombstone, durably, unless the person has one that lasts as long as `until`. Answers
    /// how far the ledger is.
    pub fn bury(&self, tombstone: Tombstone, until: DateTime<Utc>) -> Result<Head, LedgerError> {
        let _lock = self.lock()?;
        let mut chain = self.read()?;
        if !chain.covers(&tombstone.subject, until) {
            let kept = chain.text().map_err(|error| self.io(error.into()))?.len();
            let line = chain.push(tombstone);
            let line = line.map_err(|error| self.io(error.into()))?;
            self.append(kept, &line).map_err(|error| self.io(error))?;
        }
        Ok(chain.head())
    }

    /// Lets go of the tombstones whose time is over. Answers how many.
    pub fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        let _lock = self.lock()?;
        let chain = self.read()?;
        let Some(kept) = chain.without_expired(now) else {
            return Ok(0);
        };
        self.replace(&kept)?;
        Ok(chain.tombstones().count() - kept.tombstones().count())
    }

    /// A line that was broken off by a crash had not been acknowledged: the next takes its place.
    fn append(&self, kept: usize, line: &str) -> io::Result<()> {
        let mut file = File::options().append(true).open(self.file())?;
        file.set_len(kept as u64)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }

    fn replace(&self, chain: &Chain) -> Result<(), LedgerError> {
        let text = chain.text().map_err(|error| self.io(error.into()))?;
        let new = self.folder.join("tombstones.new");
        let replacing = || {
            write_private(&new, &text).map_err(io::Error::other)?;
            std::fs::rename(&new, self.file())?;
            File::open(&self.folder)?.sync_all()
        };
        replacing().map_err(|error| self.io(error))
    }

    /// One writer at a time. The file itself is replaced now and then, so another one is locked.
    fn lock(&self) -> Result<File, LedgerError> {
        let locking = || {
            let file = File::create(self.folder.join("lock"))?;
            file.lock()?;
            Ok(file)
        };
        locking().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => LedgerError::Missing(self.file()),
            _ => self.io(error),
        })
    }

    fn io(&self, error: io::Error) -> LedgerError {
        LedgerError::Io(self.file(), error)
    }
}

/// The text without a last line that has no end.
fn whole_lines(text: &str) -> &str {
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn ledger(folder: &Path) -> Ledger {
        let keys = Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap();
        Ledger::new(&folder.join("ledger"), &keys)
    }

    fn tombstone(subject: &str) -> Tombstone {
        Tombstone {
            subject: subject.to_owned(),
            at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::days(30),
        }
    }

    fn bury(ledger: &Ledger, subject: &str) -> Head {
        let tombstone = tombstone(subject);
        ledger.bury(tombstone, DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn nobody_is_buried_twice_and_the_last_line_may_be_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path());
        assert!(matches!(ledger.read(), Err(LedgerError::Missing(_))));
        ledger.create().unwrap();
        let first = bury(&ledger, "a");
        assert_eq!(bury(&ledger, "a"), first);
        let text = std::fs::read_to_string(ledger.file()).unwrap();
        std::fs::write(ledger.file(), format!("{text}{{\"number\": 2, \"subj")).unwrap();
        assert_eq!(ledger.read().unwrap().head(), first);
        assert_eq!(bury(&ledger, "b").entries, 2);
        ledger.create().unwrap();
        let subjects: Vec<String> = ledger
            .read()
            .unwrap()
            .tombstones()
            .map(|one| one.subject.clone())
            .collect();
        assert_eq!(subjects, ["a", "b"]);
    }

    #[test]
    fn an_older_another_or_a_damaged_one_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path());
        ledger.create().unwrap();
        let older = std::fs::read_to_string(ledger.file()).unwrap();
        let head = bury(&ledger, "a");
        assert!(ledger.read_from(&head).is_ok());
        std::fs::write(ledger.file(), older).unwrap();
        let why = ledger.read_from(&head).unwrap_err().to_string();
        assert!(why.contains("older than"), "{why}");
        std::fs::remove_file(ledger.file()).unwrap();
        ledger.create().unwrap();
        bury(&ledger, "a");
        let why = ledger.read_from(&head).unwrap_err().to_string();
        assert!(why.contains("another than"), "{why}");
        std::fs::write(ledger.file(), "not a ledger\n").unwrap();
        assert!(matches!(ledger.read(), Err(LedgerError::Damaged(..))));
    }

    #[test]
    fn tombstones_go_when_their_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path());
        ledger.create().unwrap();
        let head = bury(&ledger, "a");
        let day = |number| DateTime::UNIX_EPOCH + TimeDelta::days(number);
        assert_eq!(ledger.forget_expired(day(29)).unwrap(), 0);
        assert_eq!(ledger.forget_expired(day(30)).unwrap(), 1);
        let text = std::fs::read_to_string(ledger.file()).unwrap();
        assert!(!text.contains("subject"), "{text}");
        assert_eq!(ledger.read_from(&head).unwrap().head(), head);
    }
}
