//! A data folder that was restored from a backup: a mark in it says so until everybody who was erased
//! since the backup is erased again. Until then nothing is served.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::keys::{create_private_folder, write_private};
use crate::ledger::Head;
use crate::lifecycle::Lifecycle;

/// How often the mark is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What people and programs are told meanwhile.
pub const REASON: &str = "This instance was restored from a backup. It answers again as soon as everybody who was erased since that backup is erased again.";

/// What was restored, and how far the ledger was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When.
    pub at: DateTime<Utc>,
    /// Which parts are not there yet.
    pub missing: Vec<String>,
    /// An older ledger than this is refused.
    pub ledger: Head,
}

/// The mark of a data folder; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mark {
    folder: PathBuf,
}

impl Mark {
    /// The mark of a data folder, whether it is there or not.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join("db"),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("restored.json")
    }

    /// What it says, if it is there.
    pub fn read(&self) -> anyhow::Result<Option<Restored>> {
        let file = self.file();
        match std::fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| {
                format!("{} is damaged; restore the backup again", file.display())
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Puts it there, durably.
    pub fn set(&self, restored: &Restored) -> anyhow::Result<()> {
        create_private_folder(&self.folder)?;
        let new = self.folder.join("restored.new");
        write_private(&new, &serde_json::to_string_pretty(restored)?)?;
        std::fs::rename(&new, self.file())?;
        self.sync()
    }

    /// Takes it away, durably.
    pub fn clear(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(self.file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).context("cannot take the mark of the restore away")
            }
            _ => self.sync(),
        }
    }

    fn sync(&self) -> anyhow::Result<()> {
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

/// Whether anything may be served; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    mark: Mark,
    is_closed: Arc<AtomicBool>,
}

impl Gate {
    /// Looks whether the mark is there. A folder that was restored by half is refused.
    pub fn look(data: &Path) -> anyhow::Result<Self> {
        let mark = Mark::of(data);
        let restored = mark.read()?;
        ensure!(
            restored
                .as_ref()
                .is_none_or(|restored| restored.missing.is_empty()),
            "{} was restored by half; run `dipper restore` again",
            data.display()
        );
        Ok(Self {
            mark,
            is_closed: Arc::new(AtomicBool::new(restored.is_some())),
        })
    }

    /// Whether nothing may be served now.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Looks again and again, until the stop: another process may find that a database was restored.
    pub async fn keep(self, lifecycle: Lifecycle) -> anyhow::Result<()> {
        while lifecycle.pause(LOOK_EVERY).await {
            let is_there = tokio::fs::try_exists(self.mark.file()).await;
            // What cannot be seen stays as it is.
            if let Ok(is_there) = is_there {
                self.is_closed.store(is_there, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Ends when everything may be served, or the process stops.
    pub async fn opened(&self, lifecycle: &Lifecycle) {
        while self.is_closed() && lifecycle.pause(LOOK_EVERY).await {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(missing: &[&str]) -> Restored {
        Restored {
            at: DateTime::UNIX_EPOCH,
            missing: missing.iter().map(|part| (*part).to_owned()).collect(),
            ledger: Head {
                entries: 3,
                link: "ab".to_owned(),
            },
        }
    }

    #[test]
    fn a_folder_is_closed_while_it_is_marked_and_refused_when_restored_by_half() {
        let folder = tempfile::tempdir().unwrap();
        let mark = Mark::of(folder.path());
        assert!(!Gate::look(folder.path()).unwrap().is_closed());
        mark.set(&restored(&[])).unwrap();
        assert_eq!(mark.read().unwrap(), Some(restored(&[])));
        assert!(Gate::look(folder.path()).unwrap().is_closed());
        mark.set(&restored(&["streams"])).unwrap();
        assert!(Gate::look(folder.path()).is_err());
        mark.clear().unwrap();
        mark.clear().unwrap();
        assert_eq!(mark.read().unwrap(), None);
    }

    #[tokio::test]
    async fn a_gate_opens_when_the_mark_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (mark, lifecycle) = (Mark::of(folder.path()), Lifecycle::default());
        mark.set(&restored(&[])).unwrap();
        let gate = Gate::look(folder.path()).unwrap();
        lifecycle.spawn("gate", gate.clone().keep(lifecycle.clone()));
        mark.clear().unwrap();
        gate.opened(&lifecycle).await;
        assert!(!gate.is_closed() && !lifecycle.is_stopping());
    }
}
