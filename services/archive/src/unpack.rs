//! Reading the zip: all of it is checked before anybody may rely on any of it.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, Write};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::{DOCUMENT_FILE, Document, SCHEMA};

/// Files beside document and photos: they tell of the document, and say nothing that is not in it.
const COMPANIONS: [&str; 3] = ["README.txt", "schema.json", "ticks.csv"];
/// No document is larger than this, and none claims to be.
const LARGEST_DOCUMENT: u64 = 1024 * 1024 * 1024;
/// No photo is: what is uploaded has 20 MB at most.
const LARGEST_PHOTO: u64 = 20_000_000;

/// Why something is no archive that can be taken.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be read.
    #[error("the archive cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no zip, or a damaged one.
    #[error("the archive is no zip, or it is damaged: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A file in it is not as it should be.
    #[error("{file} in the archive {why}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        why: String,
    },
}

/// An archive that was checked: every byte of it was read once.
pub struct Unpacked<R> {
    /// The document.
    pub document: Document,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub hash: String,
    zip: ZipArchive<R>,
}

impl<R: Read + Seek> Unpacked<R> {
    /// Reads an archive. Refused is what the published schema does not allow, a file too few or too many, and a
    /// file whose bytes are not those that were packed.
    pub fn open(mut reader: R) -> Result<Self, UnpackError> {
        let mut hasher = Hashing(Sha256::new());
        io::copy(&mut reader, &mut hasher)?;
        reader.rewind()?;
        let mut zip = ZipArchive::new(reader)?;
        let document = document(&mut zip)?;
        check_names(&zip, &document)?;
        let mut unpacked = Self {
            document,
            hash: hex::encode(hasher.0.finalize()),
            zip,
        };
        unpacked.check_files()?;
        Ok(unpacked)
    }

    /// A photo's file.
    pub fn photo(&mut self, name: &str) -> Result<Vec<u8>, UnpackError> {
        read(&mut self.zip, name, LARGEST_PHOTO)
    }

    /// Reading a file to its end compares its checksum.
    fn check_files(&mut self) -> Result<(), UnpackError> {
        let schema = read(&mut self.zip, "schema.json", LARGEST_DOCUMENT)?;
        if schema != SCHEMA.as_bytes() {
            return Err(wrong("schema.json", "is not the published schema"));
        }
        for name in ["README.txt", "ticks.csv"] {
            read(&mut self.zip, name, LARGEST_DOCUMENT)?;
        }
        let photos = self.document.photos.iter();
        let files: Vec<String> = photos.flat_map(|photo| photo.files.clone()).collect();
        for file in files {
            self.photo(&file)?;
        }
        Ok(())
    }
}

/// Only the word by which a document says what it is.
#[derive(Deserialize)]
struct Format {
    format: String,
}

/// The document follows the schema if it can be read: the schema is made from its type.
fn document<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Document, UnpackError> {
    let bytes = read(zip, DOCUMENT_FILE, LARGEST_DOCUMENT)?;
    let unlike = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let kind = match error.classify() {
            serde_json::error::Category::Data => "does not follow the schema",
            _ => "is no JSON",
        };
        wrong(
            DOCUMENT_FILE,
            &format!("{kind}: line {line}, column {column}"),
        )
    };
    let Format { format } = serde_json::from_slice(&bytes).map_err(unlike)?;
    if format != Document::FORMAT {
        let why = format!("is not of the format {}", Document::FORMAT);
        return Err(wrong(DOCUMENT_FILE, &why));
    }
    serde_json::from_slice(&bytes).map_err(unlike)
}

fn check_names<R: Read + Seek>(
    zip: &ZipArchive<R>,
    document: &Document,
) -> Result<(), UnpackError> {
    let photos = document.photos.iter();
    let photos = photos.flat_map(|photo| photo.files.iter().map(String::as_str));
    let mut wanted = BTreeSet::from(COMPANIONS);
    wanted.insert(DOCUMENT_FILE);
    for photo in photos {
        if !wanted.insert(photo) {
            return Err(wrong(photo, "is named twice"));
        }
    }
    for name in zip.file_names() {
        let name = name?;
        if !wanted.remove(&*name) {
            return Err(wrong(&name, "is not part of an export, or is there twice"));
        }
    }
    match wanted.first() {
        Some(missing) => Err(wrong(missing, "is missing")),
        None => Ok(()),
    }
}

fn read<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
    largest: u64,
) -> Result<Vec<u8>, UnpackError> {
    let file = zip.by_name(name).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => wrong(name, "is missing"),
        other => other.into(),
    })?;
    let mut bytes = Vec::new();
    let read = file.take(largest + 1).read_to_end(&mut bytes);
    match read {
        Err(error) => Err(wrong(name, &format!("is damaged: {error}"))),
        Ok(read) if read as u64 > largest => Err(wrong(name, "is too large")),
        Ok(_) => Ok(bytes),
    }
}

fn wrong(file: &str, why: &str) -> UnpackError {
    UnpackError::File {
        file: file.to_owned(),
        why: why.to_owned(),
    }
}

/// What is written to it is hashed.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use uuid::Uuid;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::document::tests::document;
    use crate::{Packer, Photo};

    const PHOTO: &[u8] = b"\xff\xd8 the bytes of a photo \xff\xd9";

    fn named() -> (Document, String) {
        let mut document = document(&[("tick-api", "tick", &serde_json::json!([]))]);
        let file = format!("images/{}/400.jpg", Uuid::nil());
        document.photos.push(Photo {
            id: Uuid::nil(),
            files: vec![file.clone()],
        });
        (document, file)
    }

    fn packed() -> Vec<u8> {
        let (document, file) = named();
        let mut packer = Packer::begin(Vec::new(), &document).unwrap();
        packer.photo(&file, PHOTO).unwrap();
        packer.finish().unwrap()
    }

    /// The archive with some of its files changed, left out (`None`) or added.
    fn changed(changes: &[(&str, Option<&[u8]>)]) -> String {
        let mut from = ZipArchive::new(Cursor::new(packed())).unwrap();
        let mut to = ZipWriter::new(Cursor::new(Vec::new()));
        let names: Vec<String> = from
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        for name in &names {
            let change = changes.iter().find(|(changed, _)| changed == name);
            let bytes = match change {
                Some((_, None)) => continue,
                Some((_, Some(bytes))) => bytes.to_vec(),
                None => read(&mut from, name, LARGEST_DOCUMENT).unwrap(),
            };
            to.start_file(name, SimpleFileOptions::default()).unwrap();
            to.write_all(&bytes).unwrap();
        }
        for (name, bytes) in changes {
            if let Some(bytes) = bytes.filter(|_| !names.iter().any(|known| known == name)) {
                to.start_file(*name, SimpleFileOptions::default()).unwrap();
                to.write_all(bytes).unwrap();
            }
        }
        let bytes = to.finish().unwrap().into_inner();
        refusal(bytes)
    }

    fn refusal(bytes: Vec<u8>) -> String {
        let opened = Unpacked::open(Cursor::new(bytes));
        opened
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let (document, file) = named();
        let mut unpacked = Unpacked::open(Cursor::new(packed())).unwrap();
        assert_eq!(
            serde_json::to_value(&unpacked.document).unwrap(),
            serde_json::to_value(document).unwrap()
        );
        assert_eq!(unpacked.photo(&file).unwrap(), PHOTO);
        assert_eq!(unpacked.hash.len(), 64);
    }

    #[test]
    fn what_is_missing_unknown_or_unlike_the_schema_is_refused_by_its_name() {
        let (document, file) = named();
        assert_eq!(changed(&[]), "");
        assert!(changed(&[(&file, None)]).contains("is missing"));
        assert!(changed(&[("ticks.csv", None)]).contains("ticks.csv"));
        assert!(changed(&[("virus.exe", Some(b"x"))]).contains("virus.exe"));
        assert!(changed(&[("schema.json", Some(b"{}"))]).contains("schema.json"));
        let with = |change: fn(&mut serde_json::Value)| {
            let mut value = serde_json::to_value(&document).unwrap();
            change(&mut value);
            changed(&[("export.json", Some(value.to_string().as_bytes()))])
        };
        assert!(with(|document| document["more"] = 1.into()).contains("follow the schema"));
        assert!(with(|document| document["person"] = "x".into()).contains("follow the schema"));
        assert!(with(|document| document["format"] = "dipper-export/9.0".into()).contains("1.0"));
        assert!(changed(&[("export.json", Some(b"{"))]).contains("is no JSON"));
    }

    #[test]
    fn a_byte_that_was_changed_on_the_way_is_noticed() {
        let mut bytes = packed();
        let at = bytes.windows(PHOTO.len()).position(|part| part == PHOTO);
        bytes[at.unwrap() + 5] ^= 1;
        assert!(refusal(bytes).contains("is damaged"));
        assert!(refusal(b"not a zip at all".to_vec()).contains("no zip"));
        let mut short = packed();
        short.truncate(short.len() / 2);
        assert!(!refusal(short).is_empty());
    }
}
