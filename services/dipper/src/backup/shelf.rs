//! The folder that backups are kept in, each in a folder named by its time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chassis::keys::{Keys, create_private_folder};
use chassis::sealed_file::destroy;
use chrono::{DateTime, NaiveDateTime, Utc};

use super::manifest::Manifest;

/// Names of backups: when they were begun.
const NAME: &str = "%Y%m%dT%H%M%S%.3fZ";
/// Ends the name of a backup that is not whole yet. Nobody can ever open one that was broken off: what
/// its key is made from was not written yet.
const UNFINISHED: &str = ".unfinished";

/// A backup in the making: a folder that gets its name when it is whole.
pub(super) struct Draft {
    pub folder: PathBuf,
    name: PathBuf,
}

impl Draft {
    pub fn begin(shelf: &Path, now: DateTime<Utc>) -> anyhow::Result<Self> {
        create_private_folder(shelf)?;
        let name = now.format(NAME).to_string();
        let folder = shelf.join(format!("{name}{UNFINISHED}"));
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let name = shelf.join(name);
        Ok(Self { folder, name })
    }

    /// It is whole.
    pub fn finish(self) -> anyhow::Result<PathBuf> {
        std::fs::rename(&self.folder, &self.name)?;
        std::fs::File::open(self.name.parent().unwrap_or(&self.name))?.sync_all()?;
        Ok(self.name)
    }

    /// It will not be.
    pub fn give_up(self) -> anyhow::Result<()> {
        remove(&self.folder)
    }
}

/// The backup that somebody means: the folder itself, or the newest in it.
pub(super) fn find(place: &Path) -> anyhow::Result<PathBuf> {
    if place.join("manifest.json").exists() {
        return Ok(place.to_owned());
    }
    let newest = backups(place)?.into_iter().max();
    newest.with_context(|| format!("there is no backup in {}", place.display()))
}

/// Deletes the backups of this deployment whose life is over, and what was broken off as long ago. Says
/// which.
pub(super) fn delete_expired(
    shelf: &Path,
    keys: &Keys,
    (now, life): (DateTime<Utc>, Duration),
) -> anyhow::Result<Vec<PathBuf>> {
    let mut deleted = Vec::new();
    for folder in backups(shelf)? {
        // What cannot be read may be another deployment's.
        let manifest = Manifest::read(&folder, keys);
        if manifest.is_ok_and(|manifest| manifest.is_expired(now, life)) {
            deleted.push(folder);
        }
    }
    deleted.extend(broken_off_before(shelf, now - life)?);
    for folder in &deleted {
        remove(folder)?;
    }
    Ok(deleted)
}

fn broken_off_before(shelf: &Path, before: DateTime<Utc>) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(shelf)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let begun = name.strip_suffix(UNFINISHED);
        let begun = begun.and_then(|begun| NaiveDateTime::parse_from_str(begun, NAME).ok());
        if begun.is_some_and(|begun| begun.and_utc() <= before) {
            found.push(path);
        }
    }
    Ok(found)
}

fn backups(shelf: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(shelf)
        .with_context(|| format!("cannot look into the folder {}", shelf.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_whole = !path.to_string_lossy().ends_with(UNFINISHED);
        if is_whole && path.join("manifest.json").exists() {
            folders.push(path);
        }
    }
    Ok(folders)
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        ensure!(path.is_file(), "{} is no file of a backup", path.display());
        destroy(&path)?;
    }
    Ok(std::fs::remove_dir(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_hours(24);

    #[test]
    fn the_newest_whole_one_is_found_and_old_ones_are_deleted() {
        let shelf = tempfile::tempdir().unwrap();
        let keys = Keys::from_secret(&"a".repeat(32)).unwrap();
        let now = DateTime::UNIX_EPOCH + Duration::from_hours(48);
        let mut made = Vec::new();
        for hours in [0, 30, 47] {
            let at = DateTime::UNIX_EPOCH + Duration::from_hours(hours);
            let draft = Draft::begin(shelf.path(), at).unwrap();
            let manifest = Manifest::begin((hours.to_string(), 1), at, LIFE);
            manifest.write(&draft.folder, &keys).unwrap();
            made.push(draft.finish().unwrap());
        }
        let unfinished = Draft::begin(shelf.path(), now).unwrap();
        let broken_off = Draft::begin(shelf.path(), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(find(shelf.path()).unwrap(), made[2]);
        assert_eq!(find(&made[0]).unwrap(), made[0]);
        let others = Keys::from_secret(&"b".repeat(32)).unwrap();
        let none = delete_expired(shelf.path(), &others, (now, LIFE)).unwrap();
        assert_eq!(none, [broken_off.folder]);
        let gone = delete_expired(shelf.path(), &keys, (now, LIFE)).unwrap();
        assert_eq!(gone, made[..1]);
        assert!(!made[0].exists() && made[1].exists() && unfinished.folder.exists());
        unfinished.give_up().unwrap();
        assert!(find(&shelf.path().join("nowhere")).is_err());
    }
}
