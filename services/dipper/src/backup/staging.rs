//! Where copies of the databases lie for the moment until they are sealed.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chassis::keys::create_private_folder;
use chassis::sealed_file::destroy;

/// A folder beside the databases; it and what is in it go when this is dropped.
pub(super) struct Staging {
    folder: PathBuf,
    /// One backup at a time.
    _lock: File,
}

impl Staging {
    /// Makes the folder, and removes what a backup left there that was killed.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let folder = folder_in(data);
        create_private_folder(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another backup is being made; wait until it is done")
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).context("cannot lock the databases' copies");
            }
        }
        empty(&folder)?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let removed = empty(&self.folder).and_then(|()| Ok(std::fs::remove_dir_all(&self.folder)?));
        if let Err(error) = removed {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "copies of the databases are left; the next start removes them"
            );
        }
    }
}

/// Removes what a backup has left that was killed. One that is being made clears up after itself.
pub(crate) fn clear(data: &Path) {
    if folder_in(data).exists()
        && let Err(error) = Staging::open(data)
    {
        tracing::info!(error = format!("{error:#}"), "the databases' copies stay");
    }
}

fn folder_in(data: &Path) -> PathBuf {
    data.join("db").join("backup")
}

fn empty(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != "lock" {
            destroy(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_with_their_backup_or_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        let folder = folder_in(data.path());
        let staging = Staging::open(data.path()).unwrap();
        std::fs::write(staging.folder().join("copy"), "bytes").unwrap();
        assert!(Staging::open(data.path()).is_err(), "one at a time");
        clear(data.path());
        assert!(folder.join("copy").exists(), "it is being made");
        drop(staging);
        assert!(!folder.exists());
        create_private_folder(&folder).unwrap();
        std::fs::write(folder.join("copy"), "bytes").unwrap();
        clear(data.path());
        assert!(!folder.exists());
    }
}
