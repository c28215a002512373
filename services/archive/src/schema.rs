//! The published schema of the document, which is part of each archive.

/// The schema as it is published: it follows from the types.
pub const SCHEMA: &str = include_str!("../schemas/1.0.json");

#[cfg(test)]
mod tests {
    use envelope::schemas::{BASE, pretty};
    use schemars::generate::SchemaSettings;
    use serde_json::Value;

    use super::*;
    use crate::Document;

    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = Value::from(generator.into_root_schema_for::<Document>());
        let object = schema.as_object_mut().unwrap();
        object.insert("$id".to_owned(), format!("{BASE}/export/1.0.json").into());
        object.insert("title".to_owned(), Document::FORMAT.into());
        assert_eq!(SCHEMA, pretty(&schema));
    }
}
