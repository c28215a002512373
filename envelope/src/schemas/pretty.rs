//! JSON text that is the same in every build, whatever order a map keeps.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Keys that come first, in this order; all others follow by name.
const FIRST: [&str; 19] = [
    "$schema",
    "$id",
    "title",
    "description",
    "id",
    "type",
    "version",
    "data",
    "metadata",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "properties",
    "required",
    "additionalProperties",
];

/// Indented JSON with a newline at its end.
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text.push('\n');
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(object) if !object.is_empty() => write_object(text, object, depth),
        Value::Array(values)
            if values
                .iter()
                .any(|value| value.is_object() || value.is_array()) =>
        {
            write_array(text, values, depth);
        }
        Value::Array(values) => {
            let inline: Vec<String> = values.iter().map(Value::to_string).collect();
            text.push('[');
            text.push_str(&inline.join(", "));
            text.push(']');
        }
        scalar => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{scalar}");
        }
    }
}

fn write_object(text: &mut String, object: &Map<String, Value>, depth: usize) {
    let mut entries: Vec<(&String, &Value)> = object.iter().collect();
    let rank = |key: &str| {
        FIRST
            .iter()
            .position(|first| *first == key)
            .unwrap_or(FIRST.len())
    };
    entries.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    text.push('{');
    for (place, (key, value)) in entries.into_iter().enumerate() {
        new_line(text, place, depth + 1);
        let _ = write!(text, "{}: ", Value::from(key.as_str()));
        write(text, value, depth + 1);
    }
    new_line(text, 0, depth);
    text.push('}');
}

fn write_array(text: &mut String, values: &[Value], depth: usize) {
    text.push('[');
    for (place, value) in values.iter().enumerate() {
        new_line(text, place, depth + 1);
        write(text, value, depth + 1);
    }
    new_line(text, 0, depth);
    text.push(']');
}

fn new_line(text: &mut String, place: usize, depth: usize) {
    text.push_str(if place == 0 { "\n" } else { ",\n" });
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use serde_json::json;

    #[test]
    fn keys_come_in_the_order_of_their_meaning() {
        let text = pretty(
            &json!({"b": [], "required": ["x", "y"], "a": {}, "title": "T \"q\"", "list": [{"type": 1}]}),
        );
        let expected = r#"{
  "title": "T \"q\"",
  "required": ["x", "y"],
  "a": {},
  "b": [],
  "list": [
    {
      "type": 1
    }
  ]
}
"#;
        assert_eq!(text, expected);
    }
}
