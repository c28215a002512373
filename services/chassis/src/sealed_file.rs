//! Files that are sealed while they are written, so that nothing of them is ever readable on the
//! disk: chunk by chunk, each in its own place, and the last one as the last.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;

use crate::keys::PurposeKey;
use crate::objects::overwrite;

/// How much of the file is sealed at once.
const CHUNK: usize = 64 * 1024;
/// What sealing adds to a chunk: the nonce and the tag.
const ADDED: u64 = 24 + 16;

/// Writes a sealed file.
pub struct SealedWriter {
    file: File,
    key: PurposeKey,
    chunk: Vec<u8>,
    sealed: u64,
}

/// Reads a sealed file.
pub struct SealedReader {
    file: BufReader<File>,
    key: PurposeKey,
    opened: u64,
    is_over: bool,
}

impl SealedWriter {
    /// Makes a file that must not be there yet.
    pub fn create(path: &Path, key: PurposeKey) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            file: options.open(path)?,
            key,
            chunk: Vec::with_capacity(CHUNK),
            sealed: 0,
        })
    }

    /// Seals the rest and makes the file durable. Says how many bytes were written into it.
    pub fn finish(mut self) -> io::Result<u64> {
        let bytes = self.sealed * CHUNK as u64 + self.chunk.len() as u64;
        self.seal(Last::Yes)?;
        self.file.sync_all()?;
        Ok(bytes)
    }

    fn seal(&mut self, last: Last) -> io::Result<()> {
        let sealed = self.key.seal(&place(self.sealed, last), &self.chunk);
        self.file.write_all(&sealed)?;
        self.chunk.clear();
        self.sealed += 1;
        Ok(())
    }
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only now it is known that the full chunk is not the last one.
        if self.chunk.len() == CHUNK {
            self.seal(Last::No)?;
        }
        let (taken, _) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// What is not a full chunk stays until there is more, or the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SealedReader {
    /// Opens a file.
    pub fn open(path: &Path, key: PurposeKey) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::new(File::open(path)?),
            key,
            opened: 0,
            is_over: false,
        })
    }

    /// The next part of what was written; `None` after the last. A file that was altered, cut off or
    /// sealed with another key is an error.
    pub fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut sealed = Vec::new();
        let most = CHUNK as u64 + ADDED;
        self.file.by_ref().take(most).read_to_end(&mut sealed)?;
        self.is_over = self.file.fill_buf()?.is_empty();
        let last = if self.is_over { Last::Yes } else { Last::No };
        let chunk = self.key.open(&place(self.opened, last), &sealed);
        self.opened += 1;
        chunk
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Overwrites a file and removes it. None there is no error.
pub fn destroy(path: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    };
    gone(overwrite(path))?;
    gone(std::fs::remove_file(path))
}

/// Whether a chunk is the last one.
#[derive(Clone, Copy)]
enum Last {
    Yes,
    No,
}

fn place(number: u64, last: Last) -> String {
    match last {
        Last::Yes => format!("{number}, the last"),
        Last::No => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], key: &PurposeKey) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut writer = SealedWriter::create(&path, key.clone()).unwrap();
        writer.write_all(bytes).unwrap();
        assert_eq!(writer.finish().unwrap(), bytes.len() as u64);
        folder
    }

    fn read(folder: &tempfile::TempDir, key: &PurposeKey) -> io::Result<Vec<u8>> {
        let mut reader = SealedReader::open(&folder.path().join("file"), key.clone())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.next_chunk()? {
            bytes.extend(chunk);
        }
        Ok(bytes)
    }

    #[test]
    fn what_was_written_is_read_whatever_its_length() {
        let key = PurposeKey::random();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let bytes = vec![7; length];
            assert_eq!(
                read(&written(&bytes, &key), &key).unwrap(),
                bytes,
                "{length}"
            );
        }
    }

    #[test]
    fn nothing_of_it_can_be_read_without_the_key() {
        let key = PurposeKey::random();
        let folder = written(b"a nest in the old oak", &key);
        let sealed = std::fs::read(folder.path().join("file")).unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"oak"));
        assert!(read(&folder, &PurposeKey::random()).is_err());
    }

    #[test]
    fn a_file_that_was_cut_off_or_altered_is_not_taken_for_whole() {
        let key = PurposeKey::random();
        let folder = written(&vec![7; 2 * CHUNK], &key);
        let path = folder.path().join("file");
        let mut sealed = std::fs::read(&path).unwrap();
        let middle = sealed.len() / 2;
        std::fs::write(&path, &sealed[..middle]).unwrap();
        assert!(read(&folder, &key).is_err());
        sealed[middle + 99] ^= 1;
        std::fs::write(&path, &sealed).unwrap();
        assert!(read(&folder, &key).is_err());
    }

    #[test]
    fn a_destroyed_file_is_gone_and_may_be_destroyed_again() {
        let folder = written(b"bytes", &PurposeKey::random());
        let path = folder.path().join("file");
        destroy(&path).unwrap();
        destroy(&path).unwrap();
        assert!(!path.exists());
    }
}
