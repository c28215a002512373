//! Many files in one that is sealed: each is its name, its parts, and an empty part.

use std::io::{self, Write as _};
use std::path::Path;

use chassis::keys::PurposeKey;
use chassis::sealed_file::{SealedReader, SealedWriter};

/// No part is larger.
const PART: usize = 1024 * 1024;

/// Writes a packed file.
pub(super) struct Packer(SealedWriter);

/// Reads a packed file.
pub(super) struct Unpacker {
    sealed: SealedReader,
    chunk: Vec<u8>,
    at: usize,
}

impl Packer {
    pub fn create(path: &Path, key: PurposeKey) -> io::Result<Self> {
        SealedWriter::create(path, key).map(Self)
    }

    /// Begins a file.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.part(name.as_bytes())
    }

    /// Adds bytes to it.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(PART) {
            self.part(part)?;
        }
        Ok(())
    }

    /// Ends it.
    pub fn end(&mut self) -> io::Result<()> {
        self.part(&[])
    }

    /// Adds a file of the disk as a whole. Says how large it is.
    pub fn file(&mut self, name: &str, file: &mut impl io::Read) -> io::Result<u64> {
        self.begin(name)?;
        let mut buffer = vec![0; PART];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            match buffer.get(..read) {
                Some(part) if !part.is_empty() => self.part(part)?,
                _ => break,
            }
            bytes += read as u64;
        }
        self.end()?;
        Ok(bytes)
    }

    /// Ends all of it, durably.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish().map(drop)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.0.write_all(&length.to_be_bytes())?;
        self.0.write_all(bytes)
    }
}

impl Unpacker {
    pub fn open(path: &Path, key: PurposeKey) -> io::Result<Self> {
        Ok(Self {
            sealed: SealedReader::open(path, key)?,
            chunk: Vec::new(),
            at: 0,
        })
    }

    /// The next file's name; none after the last. The one before must be read to its end.
    pub fn next_file(&mut self) -> io::Result<Option<String>> {
        if !self.has_more()? {
            return Ok(None);
        }
        let name = self.part()?;
        String::from_utf8(name)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The file's next part; none after the last.
    pub fn next_part(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(Some(self.part()?).filter(|part| !part.is_empty()))
    }

    fn part(&mut self) -> io::Result<Vec<u8>> {
        let length = self.take(4)?;
        let length = <[u8; 4]>::try_from(length).map_err(|_| broken_off())?;
        let length = u32::from_be_bytes(length) as usize;
        if length > PART {
            return Err(broken_off());
        }
        self.take(length)
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut taken = Vec::with_capacity(length);
        while taken.len() < length {
            if !self.has_more()? {
                return Err(broken_off());
            }
            let rest = self.chunk.get(self.at..).unwrap_or_default();
            let (now, _) = rest.split_at(rest.len().min(length - taken.len()));
            taken.extend_from_slice(now);
            self.at += now.len();
        }
        Ok(taken)
    }

    fn has_more(&mut self) -> io::Result<bool> {
        while self.at >= self.chunk.len() {
            let Some(chunk) = self.sealed.next_chunk()? else {
                return Ok(false);
            };
            (self.chunk, self.at) = (chunk, 0);
        }
        Ok(true)
    }
}

fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it is broken off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_unpacked_as_they_were_packed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("pack"), PurposeKey::random());
        let files = [
            ("empty", Vec::new()),
            ("short", b"abc".to_vec()),
            ("long", vec![7; 2 * PART + 1]),
        ];
        let mut packer = Packer::create(&path, key.clone()).unwrap();
        for (name, bytes) in &files {
            let size = packer.file(name, &mut bytes.as_slice()).unwrap();
            assert_eq!(size, bytes.len() as u64);
        }
        packer.begin("parts").unwrap();
        packer.add(b"ab").unwrap();
        packer.add(b"cd").unwrap();
        packer.end().unwrap();
        packer.finish().unwrap();

        let mut unpacker = Unpacker::open(&path, key).unwrap();
        let mut there = Vec::new();
        while let Some(name) = unpacker.next_file().unwrap() {
            let mut bytes = Vec::new();
            while let Some(part) = unpacker.next_part().unwrap() {
                bytes.extend(part);
            }
            there.push((name, bytes));
        }
        let mut expected: Vec<_> = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
        expected.push(("parts".to_owned(), b"abcd".to_vec()));
        assert_eq!(there, expected);
    }
}
