//! The JSON Schema of each event version: generated from the Rust types, published as files, frozen.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::{Contract, Event};

mod pretty;
mod views;

pub use pretty::pretty;
pub use views::{close, open};

/// Where the schemas say that they live; nothing is fetched from there.
pub const BASE: &str = "https://dipper.example/schemas";
/// The formats that we check; `schemars` also writes others, such as the width of integers.
const FORMATS: [&str; 3] = ["uuid", "date", "date-time"];

/// The schema of an event's data, self-contained and closed.
pub fn of_data<E: Event>() -> Schema {
    of_type::<E>()
}

fn of_type<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
        });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    if let Some(object) = schema.as_object_mut() {
        object.values_mut().for_each(tidy);
        close_object(object);
        object.remove("title");
    }
    schema
}

/// Leaves out what only concerns Rust: null for what is simply missing, widths of integers.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            unwrap_null(object);
            let foreign =
                |format: &Value| !format.as_str().is_some_and(|name| FORMATS.contains(&name));
            if object.contains_key("type") && object.get("format").is_some_and(foreign) {
                object.remove("format");
            }
            close_object(object);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// An optional field is missing or has its type; it is never null.
fn unwrap_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| *choice != json!({"type": "null"}));
    if let [Value::Object(only)] = choices.as_mut_slice() {
        let only = std::mem::take(only);
        object.remove("anyOf");
        // The field's own description says more than its type's.
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

fn close_object(object: &mut Map<String, Value>) {
    if object.contains_key("properties") && object.get("type").is_some_and(|name| name == "object")
    {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// The path of an event version's schema below `schemas/`: `rate/update/1.0.json`.
pub fn path(contract: &Contract) -> String {
    format!(
        "{}/{}/{}.json",
        contract.entity, contract.kind, contract.version
    )
}

/// The name under which an event version's schema is known.
pub fn id(contract: &Contract) -> String {
    format!("{BASE}/{}", path(contract))
}

/// The schema of a whole event, closed, as it is published.
pub fn envelope(contract: &Contract) -> Value {
    let uuid = json!({"type": "string", "format": "uuid", "description": "The event's id; the same event always carries the same."});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id(contract),
        "title": format!("{} {}", contract.name(), contract.version),
        "description": contract.intent,
        "type": "object",
        "properties": {
            "id": uuid,
            "type": {"const": contract.kind},
            "version": {"const": contract.version},
            "data": (contract.schema)(),
            "metadata": metadata()
        },
        "required": ["id", "type", "version", "data", "metadata"],
        "additionalProperties": false,
        "examples": [(contract.sample)()]
    })
}

/// The file of an event version: stable in every byte.
pub fn render(contract: &Contract) -> String {
    pretty(&envelope(contract))
}

fn metadata() -> Value {
    let text = |longest: u32, says: &str| json!({"type": "string", "maxLength": longest, "description": says});
    let uuid = |says: &str| json!({"type": "string", "format": "uuid", "description": says});
    json!({
        "type": "object",
        "description": "Who said so, when, and because of what. It may hold more.",
        "properties": {
            "source": {"type": "string", "minLength": 1, "maxLength": 256, "description": "Who made the event: services/TickAPI."},
            "time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "correlationid": uuid("What belongs together: the request that began it all."),
            "causationid": uuid("The event that caused this one."),
            "traceparent": text(128, "The W3C trace context."),
            "partitionkey": text(256, "Events with the same key keep their order."),
            "dataclassification": text(64, "How sensitive the data is."),
            "deprecated": {"type": "boolean", "description": "This version of the event will go."},
            "deprecationsunset": text(64, "When this version will go.")
        },
        "required": ["source", "time"]
    })
}
