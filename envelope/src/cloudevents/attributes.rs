//! Metadata as CloudEvents attributes.

use std::fmt::Write;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::CloudEventError;
use crate::Metadata;

pub(super) const CONTENT_TYPE: &str = "application/json";
/// The extension that carries what attributes cannot.
const REST: &str = "dippermetadata";
/// Attributes with a meaning of their own: metadata of the same name must not become one.
const RESERVED: [&str; 12] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "dataversion",
    "data",
    "data_base64",
    REST,
];

/// The metadata, but for source and time, as extensions.
pub(super) fn extensions(metadata: &Metadata) -> Map<String, Value> {
    // Metadata is texts, ids and JSON: it always becomes an object.
    let Ok(Value::Object(fields)) = serde_json::to_value(metadata) else {
        return Map::new();
    };
    let mut extensions = Map::new();
    let mut rest = Map::new();
    for (name, value) in fields {
        if name == "source" || name == "time" {
            continue;
        }
        let fits = is_extension_name(&name) && is_extension_value(&name, &value);
        if fits { &mut extensions } else { &mut rest }.insert(name, value);
    }
    if !rest.is_empty() {
        extensions.insert(
            REST.to_owned(),
            Value::String(plain(&Value::Object(rest).to_string())),
        );
    }
    extensions
}

/// Lower-case letters and digits, at most twenty, as CloudEvents asks.
fn is_extension_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=20).contains(&name.len()) && name.bytes().all(allowed) && !RESERVED.contains(&name)
}

/// Texts only: in headers a number could not be told from a text. `deprecated` is known to be a boolean.
fn is_extension_value(name: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => {
            name != "deprecated" && !text.is_empty() && text.chars().all(is_plain)
        }
        Value::Bool(_) => name == "deprecated",
        _ => false,
    }
}

/// What CloudEvents allows in a text: no control characters, no noncharacters.
fn is_plain(character: char) -> bool {
    let code = u32::from(character);
    let noncharacter = code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code);
    !character.is_control() && !noncharacter
}

/// The same JSON with everything escaped that CloudEvents does not allow in a text.
fn plain(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_plain(character) {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// The attributes of an event, each taken out once.
pub(super) struct Reader(pub(super) Map<String, Value>);

impl Reader {
    /// A text attribute that must be there.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, CloudEventError> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(CloudEventError::Attribute(name)),
        }
    }

    /// An attribute that must be there and be a `T`.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str) -> Result<T, CloudEventError> {
        self.text(name)?
            .parse()
            .map_err(|_| CloudEventError::Attribute(name))
    }

    /// Without a content type the data is JSON.
    pub(super) fn is_json(&mut self) -> Result<(), CloudEventError> {
        let Some(content_type) = self.0.remove("datacontenttype") else {
            return Ok(());
        };
        let media_type = content_type
            .as_str()
            .and_then(|text| text.split(';').next())
            .map(str::trim);
        match media_type {
            Some(name) if name.eq_ignore_ascii_case(CONTENT_TYPE) => Ok(()),
            _ => Err(CloudEventError::Attribute("datacontenttype")),
        }
    }

    /// What is left: source, time and the extensions.
    pub(super) fn metadata(mut self) -> Result<Metadata, CloudEventError> {
        self.0.remove("dataschema");
        if let Some(rest) = self.0.remove(REST) {
            let rest = rest.as_str().ok_or(CloudEventError::Metadata)?;
            let rest: Map<String, Value> =
                serde_json::from_str(rest).map_err(|_| CloudEventError::Metadata)?;
            for (name, value) in rest {
                self.0.entry(name).or_insert(value);
            }
        }
        serde_json::from_value(Value::Object(self.0)).map_err(|_| CloudEventError::Metadata)
    }
}
