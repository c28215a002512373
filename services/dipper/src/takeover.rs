//! What each service could do at the broker if somebody took it over: as a table, for the threat model.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chassis::nats_server::Permissions;
use clients::permissions;
use envelope::STREAMS;

const HEAD: &str = "\
| login | events it could forge | streams it could read | where it could delete or change | what it could ask |
|---|---|---|---|---|
";

/// The table, from what the broker permits.
pub(crate) fn table() -> String {
    let mut table = HEAD.to_owned();
    for one in permissions::all() {
        // Writing to a text never fails.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} |",
            one.login,
            listed(&forged(&one)),
            listed(&read(&one)),
            listed(&changed(&one)),
            listed(&asked(&one)),
        );
    }
    table
}

fn listed(words: &BTreeSet<String>) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// What lands in a stream; a dead letter has no effect.
fn forged(one: &Permissions) -> BTreeSet<String> {
    let is_event = |subject: &&String| {
        STREAMS.iter().any(|stream| {
            let front = subject.strip_prefix(stream.entity);
            stream.entity != "dead" && front.is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let events = one.publish.allow.iter().filter(is_event);
    events
        .map(|subject| subject.trim_end_matches(".*.*").to_owned())
        .collect()
}

/// By a consumer, message by message, or as it is published.
fn read(one: &Permissions) -> BTreeSet<String> {
    const WAYS: [&str; 4] = [
        "CONSUMER.CREATE",
        "STREAM.MSG.GET",
        "DIRECT.GET",
        "STREAM.SNAPSHOT",
    ];
    let streams = STREAMS.iter().filter(|stream| {
        let reads = |way: &str| {
            let own = format!("$JS.API.{way}.{}", stream.name);
            let any = format!("$JS.API.{way}.*");
            let mut allowed = one.publish.allow.iter();
            allowed.any(|subject| {
                let rest = subject.strip_prefix(&own);
                *subject == any || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        WAYS.iter().any(|way| reads(way)) || one.subscribe.allow.contains(&stream.filter())
    });
    streams.map(|stream| stream.name.to_owned()).collect()
}

fn changed(one: &Permissions) -> BTreeSet<String> {
    const ACTS: [&str; 5] = ["MSG.DELETE", "UPDATE", "CREATE", "DELETE", "RESTORE"];
    let mut found = BTreeSet::new();
    for act in ACTS {
        let front = format!("$JS.API.STREAM.{act}.");
        let streams: Vec<&str> = one
            .publish
            .allow
            .iter()
            .filter_map(|subject| subject.strip_prefix(&front))
            .collect();
        match streams.as_slice() {
            [] => {}
            all if all.len() == STREAMS.len() || all.contains(&"*") => {
                found.insert(format!("{act} in all streams"));
            }
            some => found.extend([format!("{act} in {}", some.join(", "))]),
        }
    }
    found
}

fn asked(one: &Permissions) -> BTreeSet<String> {
    let questions = one.publish.allow.iter();
    let questions = questions.filter_map(|subject| subject.strip_prefix("svc."));
    questions.map(str::to_owned).collect()
}
