//! The fields of an event's data, told in words.

use serde_json::{Map, Value};

use crate::Contract;

/// A field as the page shows it.
pub(super) struct Field {
    pub(super) path: String,
    pub(super) required: bool,
    pub(super) is: String,
    pub(super) says: String,
}

/// The fields that hold something, in the order of their names.
pub(super) fn of(contract: &Contract) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(&(contract.schema)().to_value(), "", true, &mut fields);
    fields.sort_by(|a, b| (!a.required, &a.path).cmp(&(!b.required, &b.path)));
    fields
}

fn collect(schema: &Value, path: &str, required: bool, fields: &mut Vec<Field>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        fields.push(field(schema, path, required));
        return;
    };
    let needed = schema.get("required").and_then(Value::as_array);
    for (name, part) in properties {
        let needed = needed.is_some_and(|needed| needed.iter().any(|other| other == name));
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect(part, &path, required && needed, fields);
    }
}

fn field(schema: &Value, path: &str, required: bool) -> Field {
    let says = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let is = schema.as_object().map(kind).unwrap_or_default();
    Field {
        path: path.to_owned(),
        required,
        is,
        says,
    }
}

/// What values a field takes: `integer, 1 to 5`.
fn kind(schema: &Map<String, Value>) -> String {
    let word = |key: &str| schema.get(key).and_then(Value::as_str);
    let name = match (word("type"), word("format")) {
        (Some("array"), _) => "list",
        (_, Some(format)) => format,
        (Some("string"), None) => "text",
        (Some(other), None) => other,
        (None, None) => "anything",
    };
    let range = schema
        .get("minimum")
        .zip(schema.get("maximum"))
        .map(|(low, high)| format!(", {low} to {high}"));
    let longest = schema
        .get("maxLength")
        .map(|longest| format!(", at most {longest} characters"));
    let most = schema
        .get("maxItems")
        .map(|most| format!(", at most {most}"));
    [Some(name.to_owned()), range, longest, most]
        .into_iter()
        .flatten()
        .collect()
}
