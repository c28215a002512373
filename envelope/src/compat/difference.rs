//! Where two JSON texts differ.

use std::collections::BTreeSet;

use serde_json::Value;

/// How many differences are told of one file.
const TOLD: usize = 5;

/// JSON pointers to the first differences; the root when the texts differ in form only or are no JSON.
pub(super) fn first_differences(expected: &str, actual: &str) -> Vec<String> {
    let (Ok(expected), Ok(actual)) = (
        serde_json::from_str::<Value>(expected),
        serde_json::from_str::<Value>(actual),
    ) else {
        return vec![String::new()];
    };
    let mut found = Vec::new();
    collect(&expected, &actual, "", &mut found);
    if found.is_empty() {
        found.push(String::new());
    }
    found.truncate(TOLD);
    found
}

fn collect(expected: &Value, actual: &Value, pointer: &str, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                step(a.get(name), b.get(name), &child(pointer, name), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for place in 0..a.len().max(b.len()) {
                step(
                    a.get(place),
                    b.get(place),
                    &child(pointer, &place.to_string()),
                    found,
                );
            }
        }
        (a, b) if a == b => {}
        _ => found.push(pointer.to_owned()),
    }
}

fn step(a: Option<&Value>, b: Option<&Value>, pointer: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Some(a), Some(b)) => collect(a, b, pointer, found),
        _ => found.push(pointer.to_owned()),
    }
}

/// The pointer to a part, with `~` and `/` escaped as RFC 6901 says.
pub(super) fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::first_differences;

    #[test]
    fn differences_are_told_by_pointer() {
        let differ = |a, b| first_differences(a, b);
        assert_eq!(
            differ(r#"{"a": {"b/c": 1}}"#, r#"{"a": {"b/c": 2}}"#),
            ["/a/b~1c"]
        );
        assert_eq!(
            differ(r#"{"a": [1, 2]}"#, r#"{"a": [1], "z": 0}"#),
            ["/a/1", "/z"]
        );
        assert_eq!(differ("{}", "{ }"), [""]);
        assert_eq!(differ("{}", "no json"), [""]);
    }
}
