//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// The golden list: a crate of ours and the crates of ours that it stands on.
const MAY_DEPEND_ON: [(&str, &[&str]); 17] = [
    ("envelope", &[]),
    ("archive", &[]),
    ("chassis", &["data-map", "envelope"]),
    ("clients", &["chassis", "envelope"]),
    ("data-map", &["envelope"]),
    ("mail-catcher", &[]),
    ("scanner", &[]),
    ("tick-api", &["chassis", "clients", "envelope"]),
    ("auth-api", &["chassis", "clients", "envelope"]),
    (
        "user-api",
        &[
            "archive",
            "chassis",
            "clients",
            "data-map",
            "envelope",
            "mail-catcher",
            "scanner",
        ],
    ),
    ("score-model", &["chassis", "clients", "envelope"]),
    ("notifier", &["chassis", "clients", "envelope"]),
    ("statistics", &["chassis", "clients", "envelope"]),
    ("admin-api", &["chassis", "clients", "data-map", "envelope"]),
    (
        "dipper",
        &[
            "admin-api",
            "archive",
            "auth-api",
            "chassis",
            "clients",
            "data-map",
            "envelope",
            "mail-catcher",
            "notifier",
            "scanner",
            "score-model",
            "statistics",
            "tick-api",
            "user-api",
        ],
    ),
    ("testkit", &["chassis", "clients", "mail-catcher"]),
    ("proof", &["envelope", "mail-catcher", "testkit"]),
];

#[tokio::test]
async fn crates_depend_on_each_other_as_the_golden_list_says() {
    let output = tokio::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let mut found = BTreeMap::new();
    for package in packages {
        let mut ours: Vec<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|name| names.contains(name))
            .collect();
        ours.sort_unstable();
        found.insert(package["name"].as_str().unwrap(), ours);
    }
    let golden: BTreeMap<&str, Vec<&str>> = MAY_DEPEND_ON
        .iter()
        .map(|(name, ours)| (*name, ours.to_vec()))
        .collect();
    assert_eq!(found, golden);
}

/// A crate that does not take over the workspace's lints could hold unsafe code, and nobody would notice.
#[test]
fn unsafe_code_is_forbidden_in_every_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = manifest(&root);
    assert_eq!(
        workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let member = manifest(&root.join(member.as_str().unwrap()));
        let inherits = member.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(
            inherits.and_then(toml::Value::as_bool),
            Some(true),
            "{}",
            member["package"]["name"]
        );
    }
}

/// A question that nobody is permitted would be refused by the broker.
#[test]
fn every_question_is_among_those_that_somebody_may_ask() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["clients/src", "chassis/src"].map(|folder| sources(&services.join(folder)));
    let text = folders.concat();
    let declared = text.split("Question for ").skip(1);
    let declared: BTreeSet<&str> = declared.filter_map(|rest| rest.split(' ').next()).collect();
    assert!(declared.len() >= 50, "{declared:?}");
    for question in declared {
        let is_listed = text.contains(&format!("Asked::of::<{question}>()"))
            || text.contains(&format!("Asked::of_all::<{question}>()"));
        assert!(is_listed, "{question}");
    }
}

/// A rotation keeps the keys whose hashes are compared later, by the names of what they are for.
#[test]
fn the_first_rotation_keeps_the_key_of_every_hash() {
    const ASKED: &str = ".purpose(\"";
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut asked = BTreeSet::new();
    let folders = MAY_DEPEND_ON
        .iter()
        .map(|(name, _)| services.join(name).join("src"));
    for text in folders
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| files(&folder))
    {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = code.split(ASKED).skip(1);
        asked.extend(found.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    let kept = chassis::keys::HASHING.map(str::to_owned);
    assert_eq!(asked, BTreeSet::from(kept));
}

/// What the `Cargo.toml` of a folder says.
fn manifest(folder: &Path) -> toml::Value {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

/// All that is written in a folder of sources.
pub fn sources(folder: &Path) -> String {
    files(folder).concat()
}

/// What is written in each file of a folder of sources, but for files of tests.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let sources = paths.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
    let texts = sources.map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![std::fs::read_to_string(path).unwrap()]
        }
    });
    texts.flatten().collect()
}
