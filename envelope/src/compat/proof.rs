//! Whether one schema accepts all that another allows. The only place that knows `jsonschema::canonical`.

use jsonschema::Draft;
use jsonschema::canonical::{self, CanonicalKind, CanonicalSchema, Containment};
use serde_json::{Map, Value};

use super::difference::child;
use crate::schemas;

/// How long a witness may get before it stops helping.
const WITNESS: usize = 600;

/// Events that a reader would refuse.
pub(super) struct Lost {
    /// Where in the schema, as a JSON pointer.
    pub(super) pointer: String,
    /// What they look like there, as a schema.
    pub(super) witness: String,
}

/// What `reader` refuses of what `writer` allows; nothing when it is proven that there is no such event.
pub(super) fn lost_events(reader: &Value, writer: &Value) -> Option<Lost> {
    let mut reader = reader.clone();
    let mut writer = writer.clone();
    schemas::open(&mut reader);
    schemas::close(&mut writer);
    for schema in [&mut reader, &mut writer] {
        // Two files never share a name, and a name must not keep them from being compared.
        schema.as_object_mut().map(|schema| schema.remove("$id"));
    }
    (!accepts(&reader, &writer)).then(|| locate(&reader, &writer, String::new()))
}

/// Proven, that is: not knowing counts as no.
fn accepts(reader: &Value, writer: &Value) -> bool {
    verdict(reader, writer) == Containment::Yes
}

fn verdict(reader: &Value, writer: &Value) -> Containment {
    let schemas = canonical(reader).zip(canonical(writer));
    schemas
        .and_then(|(reader, writer)| reader.covers(&writer).ok())
        .unwrap_or(Containment::Unknown)
}

/// The schema in normal form; nothing when it uses what cannot be modelled.
fn canonical(schema: &Value) -> Option<CanonicalSchema> {
    let schema = canonical::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .offline()
        .canonicalize(schema)
        .ok()?;
    (schema.kind() != CanonicalKind::Raw).then_some(schema)
}

/// Goes down into the part that alone already loses events.
fn locate(reader: &Value, writer: &Value, pointer: String) -> Lost {
    if let (Some(read), Some(written)) = (properties(reader), properties(writer)) {
        for (name, part) in read {
            if let Some(other) = written.get(name)
                && is_whole(part)
                && is_whole(other)
                && !accepts(part, other)
            {
                return locate(part, other, child(&child(&pointer, "properties"), name));
            }
        }
    }
    Lost {
        witness: witness(reader, writer),
        pointer,
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

/// A part that refers to elsewhere means nothing on its own.
fn is_whole(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => !object.contains_key("$ref") && object.values().all(is_whole),
        Value::Array(values) => values.iter().all(is_whole),
        _ => true,
    }
}

/// The lost events, described by a schema.
fn witness(reader: &Value, writer: &Value) -> String {
    let lost = canonical(reader)
        .zip(canonical(writer))
        .and_then(|(reader, writer)| writer.subtract(&reader).ok());
    let Some(lost) = lost else {
        return "not proven: the schemas use what cannot be compared".to_owned();
    };
    let mut lost = lost.to_json_schema();
    lost.as_object_mut().map(|schema| schema.remove("$schema"));
    let lost = shortened(lost.to_string());
    match verdict(reader, writer) {
        Containment::No => lost,
        _ => format!("cannot be ruled out: {lost}"),
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(WITNESS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
