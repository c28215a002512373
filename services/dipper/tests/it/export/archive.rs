//! An archive as its person sees it.

use std::io::{Cursor, Read as _, Write as _};

use serde_json::Value;

/// An archive, unpacked.
pub struct Archive {
    pub document: Value,
    /// As it was downloaded.
    pub bytes: Vec<u8>,
    files: Vec<(String, Vec<u8>)>,
}

impl Archive {
    /// Unpacks a zip and checks its document by the schema in it.
    pub fn read(bytes: &[u8]) -> Self {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut files = Vec::new();
        for place in 0..zip.len() {
            let mut file = zip.by_index(place).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            files.push((file.name().unwrap().into_owned(), content));
        }
        let mut archive = Self {
            document: Value::Null,
            bytes: bytes.to_vec(),
            files,
        };
        let parsed = |name: &str| serde_json::from_slice::<Value>(archive.file(name)).unwrap();
        let (schema, document) = (parsed("schema.json"), parsed("export.json"));
        assert_eq!(
            schema,
            serde_json::from_str::<Value>(::archive::SCHEMA).unwrap()
        );
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(validator.is_valid(&document), "{document:#}");
        archive.document = document;
        archive
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> &[u8] {
        let mut files = self.files.iter();
        let found = files.find(|(found, _)| found == name);
        assert!(found.is_some(), "{name} is in the archive");
        &found.unwrap().1
    }

    /// The same archive with another document.
    pub fn with_document(&self, document: &Value) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.files {
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            let document = document.to_string().into_bytes();
            let is_document = name == "export.json";
            zip.write_all(if is_document { &document } else { content })
                .unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// The document without the moment at which it was made.
    pub fn content(&self) -> Value {
        let mut content = self.document.clone();
        content.as_object_mut().unwrap().remove("made_at");
        content
    }

    /// All that can be read in it.
    pub fn text(&self) -> String {
        let texts = self
            .files
            .iter()
            .filter(|(name, _)| !name.starts_with("images/"));
        texts
            .map(|(_, content)| String::from_utf8_lossy(content).to_lowercase())
            .collect()
    }

    /// What a service's table holds.
    pub fn rows(&self, service: &str, table: &str) -> Vec<Value> {
        let holdings = self.document["holdings"].as_array().unwrap();
        let holding = holdings
            .iter()
            .find(|one| one["service"] == service && one["table"] == table);
        holding.map_or_else(Vec::new, |one| one["rows"].as_array().unwrap().clone())
    }
}
