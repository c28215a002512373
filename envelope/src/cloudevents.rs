//! Events as CloudEvents 1.0, and back, without loss.
//!
//! | ours | CloudEvents |
//! |---|---|
//! | `id`, `metadata.source`, `metadata.time` | `id`, `source`, `time` |
//! | entity, `type` and major | `type`: `dipper.rate.update.v1` |
//! | the key in the subject | `subject` |
//! | `version` | extension `dataversion`, and `dataschema` |
//! | texts in the metadata whose names CloudEvents allows | extensions of the same name |
//! | everything else in the metadata | extension `dippermetadata`: a JSON object as text |

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Envelope, EventId, Metadata, Subject, Version, schemas};

mod attributes;
mod percent;

use attributes::{CONTENT_TYPE, Reader, extensions};

/// An event in NATS binary mode: attributes in `ce-` headers, data in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The data as JSON.
    pub body: String,
}

/// Why something is not one of our events as a `CloudEvent`. Never holds what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudEventError {
    /// An attribute is missing or has a value that it must not have.
    #[error("the attribute {0} is missing or wrong")]
    Attribute(&'static str),
    /// The data is missing or no JSON.
    #[error("the data is missing or no JSON")]
    Data,
    /// The extensions do not make up our metadata.
    #[error("the extensions are no metadata of ours")]
    Metadata,
}

/// The event in structured mode: one JSON object (`application/cloudevents+json`).
pub fn to_structured(subject: &Subject, envelope: &Envelope) -> Value {
    let mut event = attributes_of(subject, envelope);
    event.insert("data".to_owned(), envelope.data.clone());
    Value::Object(event)
}

/// The event in NATS binary mode.
pub fn to_binary(subject: &Subject, envelope: &Envelope) -> Binary {
    let headers = attributes_of(subject, envelope)
        .into_iter()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "datacontenttype" => ("content-type".to_owned(), text),
                _ => (format!("ce-{name}"), percent::encode(&text)),
            }
        });
    Binary {
        headers: headers.collect(),
        body: envelope.data.to_string(),
    }
}

/// Reads an event in structured mode.
pub fn from_structured(event: &Value) -> Result<(Subject, Envelope), CloudEventError> {
    let mut attributes = event.as_object().ok_or(CloudEventError::Data)?.clone();
    let data = attributes.remove("data").ok_or(CloudEventError::Data)?;
    read(attributes, data)
}

/// Reads an event in NATS binary mode; headers without `ce-` are not of the event.
pub fn from_binary(
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(Subject, Envelope), CloudEventError> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name == "content-type" {
            attributes.insert("datacontenttype".to_owned(), json!(value));
        } else if let Some(name) = name.strip_prefix("ce-") {
            let text = percent::decode(value).ok_or(CloudEventError::Metadata)?;
            attributes.insert(name.to_owned(), typed(name, text));
        }
    }
    let data = serde_json::from_slice(body).map_err(|_| CloudEventError::Data)?;
    read(attributes, data)
}

/// In headers everything is text; only one of our attributes is not.
fn typed(name: &str, text: String) -> Value {
    match (name, text.as_str()) {
        ("deprecated", "true") => Value::Bool(true),
        ("deprecated", "false") => Value::Bool(false),
        _ => Value::String(text),
    }
}

fn attributes_of(subject: &Subject, envelope: &Envelope) -> Map<String, Value> {
    let Envelope {
        id,
        version,
        metadata,
        ..
    } = envelope;
    let Subject {
        entity,
        kind,
        major,
        key,
    } = subject;
    let mut attributes = extensions(metadata);
    let context = [
        ("specversion", json!("1.0")),
        ("id", json!(id)),
        ("source", json!(metadata.source)),
        ("type", json!(format!("dipper.{entity}.{kind}.v{major}"))),
        ("subject", json!(key)),
        ("time", json!(metadata.time)),
        ("datacontenttype", json!(CONTENT_TYPE)),
        (
            "dataschema",
            json!(format!("{}/{entity}/{kind}/{version}.json", schemas::BASE)),
        ),
        ("dataversion", json!(version)),
    ];
    for (name, value) in context {
        attributes.insert(name.to_owned(), value);
    }
    attributes
}

fn read(
    attributes: Map<String, Value>,
    data: Value,
) -> Result<(Subject, Envelope), CloudEventError> {
    let mut reader = Reader(attributes);
    if reader.text("specversion")? != "1.0" {
        return Err(CloudEventError::Attribute("specversion"));
    }
    reader.is_json()?;
    let id: EventId = reader.parsed("id")?;
    let key: Uuid = reader.parsed("subject")?;
    let version: Version = reader.parsed("dataversion")?;
    let subject = subject_of(&reader.text("type")?, key)?;
    if subject.major != version.major {
        return Err(CloudEventError::Attribute("dataversion"));
    }
    let metadata: Metadata = reader.metadata()?;
    let kind = subject.kind.clone();
    Ok((
        subject,
        Envelope {
            id,
            kind,
            version,
            data,
            metadata,
        },
    ))
}

/// `dipper.rate.update.v1` and the key make up the subject.
fn subject_of(kind: &str, key: Uuid) -> Result<Subject, CloudEventError> {
    let wrong = CloudEventError::Attribute("type");
    let Some(name) = kind.strip_prefix("dipper.") else {
        return Err(wrong);
    };
    format!("{name}.{key}").parse().map_err(|_| wrong)
}
