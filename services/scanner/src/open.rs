//! Opens files without harm to whoever else has them open in the same process.
//!
//! When a process closes a file it loses all POSIX locks on it, whichever descriptor took them
//! (POSIX.1-2017, close). SQLite's databases live by such locks: without them another process takes
//! itself for the first, and cuts off the index of the write-ahead log that ours has mapped. So a
//! database that was opened once stays open for as long as it exists.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// How a SQLite database begins (its file format, 1.3.1).
const DATABASE: &[u8] = b"SQLite format 3\0";
/// How the name of the index of a write-ahead log ends.
const LOG_INDEX: &str = "-shm";

/// Files by device and number.
type Kept = HashMap<(u64, u64), Arc<File>>;

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// A file, to be read from a place on.
#[derive(Clone, Debug)]
pub struct Opened {
    file: Arc<File>,
    at: u64,
}

/// Opens a file to be read from its beginning.
pub fn open(path: &Path) -> io::Result<Opened> {
    let found = std::fs::metadata(path)?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    // Files that were deleted meanwhile are nobody's any more.
    kept.retain(|_, file| file.metadata().is_ok_and(|file| file.nlink() > 0));
    if let Some(file) = kept.get(&(found.dev(), found.ino())) {
        return Ok(Opened::at_begin(file));
    }
    let file = Arc::new(File::open(path)?);
    if is_locked_by_sqlite(path, &file)? {
        let is = file.metadata()?;
        kept.insert((is.dev(), is.ino()), Arc::clone(&file));
    }
    Ok(Opened::at_begin(&file))
}

fn is_locked_by_sqlite(path: &Path, file: &File) -> io::Result<bool> {
    if path.as_os_str().to_string_lossy().ends_with(LOG_INDEX) {
        return Ok(true);
    }
    let mut begin = [0; DATABASE.len()];
    let read = file.read_at(&mut begin, 0)?;
    Ok(begin.get(..read) == Some(DATABASE))
}

impl Opened {
    fn at_begin(file: &Arc<File>) -> Self {
        Self {
            file: Arc::clone(file),
            at: 0,
        }
    }

    /// The same file from another place on.
    #[must_use]
    pub fn from_place(self, at: u64) -> Self {
        Self { at, ..self }
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_descriptors(path: &Path) -> usize {
        let all = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = all.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        targets.filter(|target| target == path).count()
    }

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_is_read_from_a_place_on() {
        let (_folder, path) = file("x", b"0123456789");
        let mut text = String::new();
        let mut opened = open(&path).unwrap().from_place(4);
        opened.read_to_string(&mut text).unwrap();
        assert_eq!(text, "456789");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_database_stays_open_until_it_is_deleted_and_other_files_do_not() {
        let (_folder, database) = file("ticks.db", b"SQLite format 3\0 and pages");
        let (_folder, index) = file("ticks.db-shm", b"");
        let (_folder, photo) = file("400.jpg", b"a bird");
        for path in [&database, &index, &photo] {
            drop(open(path).unwrap());
            drop(open(path).unwrap());
        }
        assert_eq!(
            [&database, &index, &photo].map(|path| open_descriptors(path)),
            [1, 1, 0]
        );
        std::fs::remove_file(&database).unwrap();
        drop(open(&photo).unwrap());
        assert_eq!(open_descriptors(&database), 0);
    }
}
