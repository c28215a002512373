//! Writing the zip, straight through: nothing is held but what is being written.

use std::io::{self, Write};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::{DOCUMENT_FILE, Document, SCHEMA, ticks_csv};

const README: &str = include_str!("../assets/README.txt");

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The zip refused.
    #[error("the archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// Where it is written to refused.
    #[error("the archive's file: {0}")]
    Write(#[from] io::Error),
    /// The document refused.
    #[error("the archive's document: {0}")]
    Document(#[from] serde_json::Error),
    /// The table of ticks refused.
    #[error("the archive's table of ticks: {0}")]
    Table(#[from] csv::Error),
}

/// An archive in the making.
pub struct Packer<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
}

impl<W: Write> Packer<W> {
    /// Begins an archive with all that follows from the document.
    pub fn begin(writer: W, document: &Document) -> Result<Self, PackError> {
        let mut packer = Self {
            zip: ZipWriter::new_stream(writer),
        };
        packer.file("README.txt", README.as_bytes())?;
        packer.file("schema.json", SCHEMA.as_bytes())?;
        packer.zip.start_file(DOCUMENT_FILE, options())?;
        serde_json::to_writer_pretty(&mut packer.zip, document)?;
        packer.file("ticks.csv", &ticks_csv(document)?)?;
        Ok(packer)
    }

    /// Adds a photo, which is compressed as it is.
    pub fn photo(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        let stored = options().compression_method(CompressionMethod::Stored);
        self.zip.start_file(name, stored)?;
        Ok(self.zip.write_all(bytes)?)
    }

    /// Ends the archive, and gives back what it was written to.
    pub fn finish(self) -> Result<W, PackError> {
        Ok(self.zip.finish()?.into_inner())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        self.zip.start_file(name, options())?;
        Ok(self.zip.write_all(bytes)?)
    }
}

fn options() -> SimpleFileOptions {
    // Beyond four gigabytes a zip has other headers, which must be chosen beforehand.
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true)
        .unix_permissions(0o600)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use serde_json::{Value, json};

    use super::*;
    use crate::document::tests::document;

    #[test]
    fn an_archive_holds_the_document_its_schema_and_the_photos() {
        let ticks = json!([{"id": "t1", "day": "2026-05-01"}]);
        let document = document(&[("tick-api", "tick", &ticks)]);
        let mut packer = Packer::begin(Vec::new(), &document).unwrap();
        packer.photo("images/i1/400.jpg", b"\xff\xd8").unwrap();
        let bytes = packer.finish().unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names = zip.file_names().map(|name| name.unwrap().into_owned());
        let names: Vec<String> = names.collect();
        assert_eq!(
            names,
            [
                "README.txt",
                "schema.json",
                "export.json",
                "ticks.csv",
                "images/i1/400.jpg"
            ]
        );
        let mut read = |name: &str| {
            let mut bytes = Vec::new();
            zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(read("images/i1/400.jpg"), b"\xff\xd8");
        let schema: Value = serde_json::from_slice(&read("schema.json")).unwrap();
        let document: Value = serde_json::from_slice(&read("export.json")).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(validator.is_valid(&document));
        assert!(!validator.is_valid(&json!({"format": "dipper-export/1.0"})));
    }
}
