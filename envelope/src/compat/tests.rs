use serde_json::{Value, json};

use super::*;

fn file(path: &str, schema: &Value) -> File {
    (path.to_owned(), schema.to_string())
}

/// A whole envelope's schema around the given data, as a published file is built.
fn around(version: &str, data: &Value, definitions: &Value) -> Value {
    let mut schema = schemas::envelope(&crate::catalogue::rate::UPDATE_V1_0);
    schema["$id"] = json!(format!(
        "https://dipper.example/schemas/comment/add/{version}.json"
    ));
    schema["properties"]["version"] = json!({"const": version});
    schema["properties"]["data"] = data.clone();
    schema["$defs"] = definitions.clone();
    schema
}

fn original() -> Value {
    json!({
        "type": "object",
        "properties": {
            "user": {"type": "string", "format": "uuid"},
            "rating": {"type": "integer", "minimum": 1, "maximum": 5},
            "mood": {"type": "string", "enum": ["glad", "sad"]},
            "code": {"type": "string"},
            "note": {"type": "string", "maxLength": 100}
        },
        "required": ["user", "rating"],
        "additionalProperties": false
    })
}

/// An edit: its name, the edit itself, whether new consumers read old events, whether old consumers read new ones.
type Edit = (&'static str, fn(&mut Value), bool, bool);

const EDITS: [Edit; 18] = [
    (
        "add an optional property",
        |s| s["properties"]["place"] = json!({"type": "string"}),
        true,
        true,
    ),
    (
        "drop an optional property",
        |s| drop(remove(s, "/properties", "note")),
        true,
        true,
    ),
    (
        "title and description",
        |s| {
            s["title"] = json!("A comment");
            s["properties"]["note"]["description"] = json!("What they say.");
        },
        true,
        true,
    ),
    (
        "move to $defs",
        |s| s["properties"]["user"] = json!({"$ref": "#/$defs/user"}),
        true,
        true,
    ),
    (
        "additionalProperties left out",
        |s| drop(remove(s, "", "additionalProperties")),
        true,
        true,
    ),
    (
        "add a required property",
        |s| {
            s["properties"]["place"] = json!({"type": "string"});
            s["required"] = json!(["user", "rating", "place"]);
        },
        false,
        true,
    ),
    (
        "remove a required property",
        |s| {
            remove(s, "/properties", "user");
            s["required"] = json!(["rating"]);
        },
        true,
        false,
    ),
    (
        "rating to 1..4",
        |s| s["properties"]["rating"]["maximum"] = json!(4),
        false,
        true,
    ),
    (
        "rating to 1..10",
        |s| s["properties"]["rating"]["maximum"] = json!(10),
        true,
        false,
    ),
    (
        "uuid to any string",
        |s| drop(remove(s, "/properties/user", "format")),
        true,
        false,
    ),
    (
        "integer to number",
        |s| s["properties"]["rating"]["type"] = json!("number"),
        true,
        false,
    ),
    (
        "narrow an enum",
        |s| s["properties"]["mood"]["enum"] = json!(["glad"]),
        false,
        true,
    ),
    (
        "ask for a pattern",
        |s| s["properties"]["code"]["pattern"] = json!("^[a-c]+$"),
        false,
        true,
    ),
    (
        "shorten a text",
        |s| s["properties"]["note"]["maxLength"] = json!(50),
        false,
        true,
    ),
    (
        "rename a required property",
        |s| {
            let user = remove(s, "/properties", "user");
            s["properties"]["author"] = user;
            s["required"] = json!(["author", "rating"]);
        },
        false,
        false,
    ),
    (
        "uuid to e-mail",
        |s| s["properties"]["user"]["format"] = json!("email"),
        false,
        false,
    ),
    (
        "one property needs another",
        |s| s["dependentRequired"] = json!({"note": ["mood"]}),
        false,
        true,
    ),
    (
        "allow null",
        |s| s["properties"]["note"]["type"] = json!(["string", "null"]),
        true,
        false,
    ),
];

fn remove(schema: &mut Value, parent: &str, name: &str) -> Value {
    schema
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name)
        .unwrap()
}

fn breaches_of(edit: fn(&mut Value)) -> Vec<Breach> {
    let mut edited = original();
    edit(&mut edited);
    let definitions = json!({"user": {"type": "string", "format": "uuid"}});
    let current = [
        file(
            "comment/add/1.0.json",
            &around("1.0", &original(), &definitions),
        ),
        file(
            "comment/add/1.1.json",
            &around("1.1", &edited, &definitions),
        ),
    ];
    check(&current, &current)
}

#[test]
fn every_edit_is_judged_right_both_ways() {
    for (name, edit, backward, forward) in EDITS {
        let breaches = breaches_of(edit);
        let broken = |rule: &str| breaches.iter().any(|breach| breach.rule == rule);
        let old_read = !broken("consumers of 1.1 must accept every event of 1.0");
        let new_read = !broken("consumers of 1.0 must accept every event of 1.1");
        assert_eq!(
            (old_read, new_read),
            (backward, forward),
            "{name}: {breaches:#?}"
        );
    }
}

#[test]
fn a_breach_names_the_place_and_shows_what_is_lost() {
    let breaches = breaches_of(|schema| schema["properties"]["rating"]["maximum"] = json!(4));
    let [breach] = breaches.as_slice() else {
        panic!("{breaches:#?}")
    };
    assert_eq!(breach.file, "comment/add/1.1.json");
    assert_eq!(breach.pointer, "/properties/data/properties/rating");
    assert_eq!(breach.witness.as_deref(), Some(r#"{"const":5}"#));
}

#[test]
fn what_cannot_be_proven_counts_as_a_breach() {
    let data = |pattern: &str| json!({"type": "object", "properties": {"code": {"type": "string", "pattern": pattern}}});
    let files = [
        file(
            "comment/add/1.0.json",
            &around("1.0", &data("^[a-c]+$"), &json!({})),
        ),
        file(
            "comment/add/1.1.json",
            &around("1.1", &data("^[a-z]+$"), &json!({})),
        ),
    ];
    let breaches = check(&files, &files);
    let witnesses: Vec<_> = breaches
        .iter()
        .filter_map(|breach| breach.witness.as_deref())
        .collect();
    assert_eq!(witnesses.len(), 2);
    assert!(
        witnesses
            .iter()
            .all(|witness| witness.starts_with("cannot be ruled out: ")),
        "{witnesses:#?}"
    );
}

#[test]
fn another_major_may_be_anything() {
    let files = [
        file(
            "comment/add/1.0.json",
            &around("1.0", &original(), &json!({})),
        ),
        file(
            "comment/add/2.0.json",
            &around("2.0", &json!({"type": "object"}), &json!({})),
        ),
    ];
    assert_eq!(check(&files, &files), []);
}

#[test]
fn a_published_file_that_changed_or_vanished_is_told() {
    let published = embedded();
    let mut current = published.clone();
    let (_, text) = &mut current[0];
    *text = text.replace("64", "63").replace("\"new\"", "\"newer\"");
    let (gone, _) = current.remove(3);
    let breaches = check(&published, &current);
    let told: Vec<_> = breaches
        .iter()
        .map(|b| (b.file.as_str(), b.pointer.as_str(), b.rule.as_str()))
        .collect();
    assert!(
        told.contains(&("tick/new/1.0.json", "/properties/type/const", FROZEN)),
        "{told:#?}"
    );
    assert!(told.contains(&(gone.as_str(), "", FROZEN)), "{told:#?}");
}

#[test]
fn a_new_version_beside_the_published_ones_is_no_breach() {
    let published: Vec<File> = embedded()
        .into_iter()
        .filter(|(path, _)| path != "tick/new/1.1.json")
        .collect();
    assert_eq!(check(&published, &embedded()), []);
}

#[test]
fn the_committed_schemas_are_what_the_types_say_and_fit_each_other() {
    assert_eq!(drift(&embedded()), []);
    assert_eq!(check(&embedded(), &embedded()), []);
}

#[test]
fn drift_is_told_by_place() {
    let mut files = embedded();
    files[0].1 = files[0]
        .1
        .replace("\"maxLength\": 512", "\"maxLength\": 100");
    files.push(file("tick/eat/1.0.json", &json!({})));
    let breaches = drift(&files);
    let told: Vec<_> = breaches
        .iter()
        .map(|b| (b.file.as_str(), b.pointer.as_str(), b.rule.as_str()))
        .collect();
    let place = "/properties/data/properties/image/properties/url/maxLength";
    assert_eq!(
        told,
        [
            ("tick/new/1.0.json", place, DRIFT),
            ("tick/eat/1.0.json", "", "no event type has this schema")
        ]
    );
}

#[test]
fn files_that_are_no_schemas_are_breaches() {
    let rules = |path: &str, text: &str| {
        let files = [(path.to_owned(), text.to_owned())];
        check(&[], &files)
            .into_iter()
            .map(|breach| breach.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules("comment/add/1.0.json", "{"), ["a schema is JSON"]);
    assert_eq!(
        rules("comment/add/01.0.json", "{}"),
        ["the file is named after its version: 1.0.json"]
    );
    assert_eq!(
        rules("1.0.json", "{}"),
        ["the path is entity/type/version.json"]
    );
}
