//! The compatibility gate: published schemas are frozen, and minors of a major read each other's events.
//!
//! Not a comparison of texts but a proof. Each schema has two views: the *writer* is closed, the *reader* is open.
//! Within a major every reader must accept whatever any writer may write, older or newer. Where it does not, the
//! breach tells the place in the schema and describes the events that would be lost.

mod difference;
mod proof;

use serde_json::Value;

use crate::{CATALOGUE, Version, schemas};
use difference::first_differences;
use proof::{Lost, lost_events};

/// A rule that a schema file breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The file, below `schemas/`.
    pub file: String,
    /// Where in the file, as a JSON pointer.
    pub pointer: String,
    /// The rule.
    pub rule: String,
    /// What proves it: the events that would be lost, described by a schema.
    pub witness: Option<String>,
}

/// A file's path below `schemas/`, and its text.
pub type File = (String, String);

/// A file that was published must never change again.
const FROZEN: &str = "published schemas are frozen";
/// The files are generated from the types.
const DRIFT: &str = "file differs from the type";

/// Compares the published files with the current ones, and the current ones among each other.
pub fn check(published: &[File], current: &[File]) -> Vec<Breach> {
    let mut breaches = frozen(published, current);
    breaches.extend(minors(current));
    breaches
}

/// Compares the files with what the Rust types give.
pub fn drift(current: &[File]) -> Vec<Breach> {
    let generated: Vec<File> = CATALOGUE
        .iter()
        .map(|contract| (schemas::path(contract), schemas::render(contract)))
        .collect();
    let mut breaches = differing(&generated, current, DRIFT);
    let strangers = current
        .iter()
        .filter(|(path, _)| find(&generated, path).is_none());
    breaches.extend(strangers.map(|(path, _)| breach(path, "", "no event type has this schema")));
    breaches
}

/// The schema files that this program was built with.
pub fn embedded() -> Vec<File> {
    CATALOGUE
        .iter()
        .map(|contract| (schemas::path(contract), contract.frozen.to_owned()))
        .collect()
}

fn breach(file: &str, pointer: &str, rule: &str) -> Breach {
    Breach {
        file: file.to_owned(),
        pointer: pointer.to_owned(),
        rule: rule.to_owned(),
        witness: None,
    }
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files
        .iter()
        .find(|(name, _)| name == path)
        .map(|(_, text)| text.as_str())
}

fn frozen(published: &[File], current: &[File]) -> Vec<Breach> {
    differing(published, current, FROZEN)
}

/// A breach for each place in which a file of `expected` is not the same in `actual`.
fn differing(expected: &[File], actual: &[File], rule: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in expected {
        match find(actual, path) {
            Some(same) if same == text => {}
            Some(other) => {
                let pointers = first_differences(text, other);
                breaches.extend(pointers.iter().map(|pointer| breach(path, pointer, rule)));
            }
            None => breaches.push(breach(path, "", rule)),
        }
    }
    breaches
}

/// A schema file whose path tells event and version.
struct Minor<'a> {
    path: &'a str,
    event: &'a str,
    version: Version,
    schema: Value,
}

/// Every pair of minors within each major, both ways.
fn minors(current: &[File]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut known = Vec::new();
    for (path, text) in current {
        match parse(path, text) {
            Ok(minor) => known.push(minor),
            Err(found) => breaches.push(found),
        }
    }
    known.sort_by(|a, b| (a.event, a.version).cmp(&(b.event, b.version)));
    for (place, old) in known.iter().enumerate() {
        let same_major =
            |new: &&Minor<'_>| new.event == old.event && new.version.major == old.version.major;
        for new in known.iter().skip(place + 1).filter(same_major) {
            breaches.extend(unread(new, old));
            breaches.extend(unread(old, new));
        }
    }
    breaches
}

fn parse<'a>(path: &'a str, text: &str) -> Result<Minor<'a>, Breach> {
    let (event, file) = path
        .rsplit_once('/')
        .ok_or_else(|| breach(path, "", "the path is entity/type/version.json"))?;
    let version = file
        .strip_suffix(".json")
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| breach(path, "", "the file is named after its version: 1.0.json"))?;
    let schema = serde_json::from_str(text).map_err(|_| breach(path, "", "a schema is JSON"))?;
    Ok(Minor {
        path,
        event,
        version,
        schema,
    })
}

/// What a consumer built for `reader` cannot read of what a producer of `writer` sends.
fn unread(reader: &Minor<'_>, writer: &Minor<'_>) -> Option<Breach> {
    let Lost { pointer, witness } = lost_events(&reader.schema, &writer.schema)?;
    // The newer file is the one that can still be changed.
    let newer = if reader.version > writer.version {
        reader
    } else {
        writer
    };
    let rule = format!(
        "consumers of {} must accept every event of {}",
        reader.version, writer.version
    );
    Some(Breach {
        file: newer.path.to_owned(),
        pointer,
        rule,
        witness: Some(witness),
    })
}

#[cfg(test)]
mod tests;
