//! What of an event is shown to whoever looks why it failed: by the data map, only what is about nobody. An event that
//! failed may hold anything anywhere, so what the map does not know is masked too, and so are the names of such fields.

use chassis::ids::ids_in;
use data_map::{Part, fields_of};
use serde_json::{Map, Value};

/// Technical words are short; what is longer is something else.
const LONGEST_WORD: usize = 64;

/// The body with every personal value masked; `event` is `rate.update.v2`.
pub(crate) fn masked(event: &str, body: &Value) -> Value {
    let name = event.rsplit_once('.').map_or(event, |(name, _)| name);
    let parts: Vec<&Part> = fields_of(name).collect();
    mask(&parts, "", body)
}

fn mask(parts: &[&Part], pointer: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => mask_fields(parts, pointer, fields).into(),
        Value::Array(items) => {
            let pointer = format!("{pointer}/*");
            let masked = items.iter().map(|item| mask(parts, &pointer, item));
            masked.collect()
        }
        Value::Null => Value::Null,
        leaf => match parts.iter().find(|part| part.name == pointer) {
            Some(part) if part.names_somebody() => hide(part.category.as_str(), leaf),
            Some(_) if is_technical_word(leaf) => leaf.clone(),
            Some(_) => hide("not what is expected here", leaf),
            None => hide("unknown field", leaf),
        },
    }
}

fn mask_fields(parts: &[&Part], pointer: &str, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut unknown = 0;
    for (name, value) in fields {
        let pointer = format!("{pointer}/{name}");
        if is_known(parts, &pointer) {
            shown.insert(name.clone(), mask(parts, &pointer, value));
        } else {
            unknown += 1;
            shown.insert(format!("unknown field {unknown}"), hide("unknown", value));
        }
    }
    shown
}

/// Whether the map has a field there, or further in.
fn is_known(parts: &[&Part], pointer: &str) -> bool {
    let is_there = |part: &&Part| {
        let rest = part.name.strip_prefix(pointer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    parts.iter().any(is_there)
}

fn is_technical_word(value: &Value) -> bool {
    let Value::String(text) = value else {
        return true;
    };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._:/-".contains(letter);
    text.len() <= LONGEST_WORD && text.chars().all(is_plain) && ids_in(text.as_bytes()).is_empty()
}

/// What stands in the place of a value: of which kind it is, as that is often what is wrong with it.
fn hide(what: &str, value: &Value) -> Value {
    let kind = match value {
        Value::String(text) => format!("text of {}", text.chars().count()),
        Value::Number(_) => "number".to_owned(),
        Value::Bool(_) => "yes or no".to_owned(),
        Value::Array(_) => "list".to_owned(),
        Value::Object(_) => "object".to_owned(),
        Value::Null => "nothing".to_owned(),
    };
    Value::String(format!("masked: {what} ({kind})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_about_nobody_is_shown() {
        let user = "6f1c2b54-54a5-4a43-9c0e-5d6e2a3f7b10";
        let body = json!({
            "id": user, "type": "update", "version": "2.0",
            "data": {"user": {"id": user}, "image": {"url": "/images/x", "owner": null}, "rating": 6},
            "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
        });
        let expected = json!({
            "id": "masked: random id (text of 36)", "type": "update", "version": "2.0",
            "data": {
                "user": {"id": "masked: random id (text of 36)"},
                "image": {"url": "masked: random id (text of 9)", "owner": null},
                "rating": "masked: rating (number)",
            },
            "metadata": {"source": "services/OldClient", "time": "masked: times and acts (text of 20)"},
        });
        assert_eq!(masked("rate.update.v2", &body), expected);
    }

    #[test]
    fn who_is_named_where_nobody_should_be_is_masked_too() {
        let body = json!({
            "olga@example.org": 1, "type": "olga@example.org", "version": {"olga": "Olga"},
            "data": ["Olga"], "metadata": "Olga",
        });
        let shown = masked("rate.update.v2", &body).to_string();
        assert!(!shown.to_lowercase().contains("olga"), "{shown}");
        assert!(shown.contains("unknown field 1"), "{shown}");
    }

    #[test]
    fn of_an_event_that_nobody_knows_nothing_of_its_own_is_shown() {
        let body = json!({"type": "upend", "data": {"name": "Olga"}});
        let expected = json!({"type": "upend", "unknown field 1": "masked: unknown (object)"});
        assert_eq!(masked("rate.upend.v1", &body), expected);
    }
}
