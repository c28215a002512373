//! A schema as the producer and as the consumer sees it.

use serde_json::{Map, Value, json};

/// The consumer's view: data may hold more than is declared, and the version may be a later minor of the same major.
pub fn open(schema: &mut Value) {
    each_data_schema(schema, &|object| {
        if object.get("additionalProperties") == Some(&Value::Bool(false)) {
            object.remove("additionalProperties");
        }
    });
    let Some(version) = schema.pointer_mut("/properties/version") else {
        return;
    };
    let major = version
        .get("const")
        .and_then(Value::as_str)
        .and_then(|text| text.split_once('.'));
    if let Some((major, _)) = major {
        *version = json!({"type": "string", "pattern": format!("^{major}\\.(0|[1-9][0-9]*)$")});
    }
}

/// The producer's view: data holds what is declared and nothing else.
pub fn close(schema: &mut Value) {
    each_data_schema(schema, &|object| {
        if object.contains_key("properties") && !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    });
}

/// Visits the schema of the data and of all its parts, and of what it refers to; envelope and metadata stay.
fn each_data_schema(schema: &mut Value, visit: &impl Fn(&mut Map<String, Value>)) {
    for pointer in ["/properties/data", "/$defs"] {
        if let Some(part) = schema.pointer_mut(pointer) {
            each_schema(part, visit);
        }
    }
}

fn each_schema(schema: &mut Value, visit: &impl Fn(&mut Map<String, Value>)) {
    match schema {
        Value::Object(object) => {
            object
                .values_mut()
                .for_each(|part| each_schema(part, visit));
            visit(object);
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| each_schema(part, visit)),
        _ => {}
    }
}
