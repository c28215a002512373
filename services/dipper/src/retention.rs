//! `dipper retention`: how long each store keeps what is in it, and how old the oldest of it is.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use chassis::bus::Bus;
use chassis::retention::tables::Oldest;
use chassis::rpc::ask_service;
use chassis::settings::Settings;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use data_map::{Kind, Retention, STORES, services, tables_of};
use envelope::STREAMS;

use crate::say;

/// Its lines have ages of their own, and it may lie elsewhere.
const LEDGER: &str = "ledger";

/// A line of the table.
struct Line {
    store: String,
    kept: String,
    /// Since when the oldest is there.
    oldest: Oldness,
}

enum Oldness {
    Since(DateTime<Utc>),
    Empty,
    Unknown,
}

/// Prints the table.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let bus = Bus::connect(&settings.broker_of_instance("operator")?, "operator").await?;
    let (by_stream, mut lines) = streams(&bus).await?;
    for service in services() {
        lines.extend(rows(&bus, service, &by_stream).await);
    }
    bus.close().await;
    lines.extend(files(&settings.data_dir));
    lines.extend(tombstones(settings));
    tell(&lines);
    Ok(())
}

/// For how long each stream keeps events, as the broker is set.
type Lives = HashMap<&'static str, Retention>;

async fn streams(bus: &Bus) -> anyhow::Result<(Lives, Vec<Line>)> {
    let (mut by_stream, mut lines) = (Lives::new(), Vec::new());
    for stream in STREAMS {
        let found = bus.jetstream().get_stream(stream.name).await;
        let found = found.with_context(|| format!("cannot look up the stream {}", stream.name))?;
        let info = found.cached_info();
        let life = info.config.max_age;
        let kept = if life.is_zero() {
            Retention::Stream(stream)
        } else {
            Retention::For(life)
        };
        by_stream.insert(stream.name, kept);
        let oldest = match info.state.messages {
            0 => Oldness::Empty,
            _ => Oldness::Since(info.state.first_timestamp),
        };
        lines.push(Line {
            store: format!("stream {}", stream.name),
            kept: kept.in_words(),
            oldest,
        });
    }
    Ok((by_stream, lines))
}

/// The tables of a service whose rows have an age.
async fn rows(bus: &Bus, service: &str, by_stream: &Lives) -> Vec<Line> {
    let Ok(oldest) = ask_service(bus, service, &Oldest {}).await else {
        return vec![Line {
            store: service.to_owned(),
            kept: "it does not answer".to_owned(),
            oldest: Oldness::Unknown,
        }];
    };
    let lines = oldest.into_iter().map(|row| {
        let table = tables_of(service).find(|table| table.name == row.table);
        let life = table.map(|table| match table.retention {
            Retention::Stream(of) => by_stream.get(of.name).copied().unwrap_or(table.retention),
            own => own,
        });
        let since = row.since.map(DateTime::from_timestamp_micros);
        Line {
            store: format!("{service}: {}", row.table),
            kept: life.map_or(String::new(), Retention::in_words),
            oldest: match since {
                None => Oldness::Empty,
                Some(since) => since.map_or(Oldness::Unknown, Oldness::Since),
            },
        }
    });
    lines.collect()
}

/// Folders of the data folder whose files are kept for a time.
fn files(data: &Path) -> Vec<Line> {
    let timed = STORES.iter().filter(|store| {
        store.kind == Kind::Path
            && store.name != LEDGER
            && matches!(store.retention(), Retention::For(_))
    });
    let lines = timed.map(|store| Line {
        store: format!("{}/", store.name),
        kept: store.retention().in_words(),
        oldest: oldest_file(&data.join(store.name)).map_or(Oldness::Empty, Oldness::Since),
    });
    lines.collect()
}

/// The ledger of erased people, where it can be read from here.
fn tombstones(settings: &Settings) -> Option<Line> {
    let keys = settings.data_dir.join("keys").join("master.key");
    let keys = (settings.secret.is_some() || keys.exists()).then(|| settings.keys().ok());
    let chain = settings.ledger(&keys??).read().ok()?;
    let oldest = chain.tombstones().map(|tombstone| tombstone.at).min();
    Some(Line {
        store: format!("{LEDGER}/"),
        kept: Retention::For(settings.backup_life.0).in_words(),
        oldest: oldest.map_or(Oldness::Empty, Oldness::Since),
    })
}

fn oldest_file(folder: &Path) -> Option<DateTime<Utc>> {
    let files = folder.read_dir().ok()?;
    let times = files.filter_map(|file| file.ok()?.metadata().ok()?.modified().ok());
    times.min().map(DateTime::from)
}

fn tell(lines: &[Line]) {
    let widest = |of: fn(&Line) -> &String| lines.iter().map(|line| of(line).len()).max();
    let store = widest(|line| &line.store).unwrap_or_default();
    let kept = widest(|line| &line.kept).unwrap_or_default();
    say(&format!("{:<store$}  {:<kept$}  oldest", "store", "kept"));
    for line in lines {
        let oldest = match line.oldest {
            Oldness::Since(at) => format!(
                "{}, {} ago",
                at.to_rfc3339_opts(SecondsFormat::Secs, true),
                ago(Utc::now() - at)
            ),
            Oldness::Empty => "nothing".to_owned(),
            Oldness::Unknown => "not known".to_owned(),
        };
        say(&format!(
            "{:<store$}  {:<kept$}  {oldest}",
            line.store, line.kept
        ));
    }
}

/// How long ago, in the largest unit of which there is one.
fn ago(length: TimeDelta) -> String {
    let length = length.to_std().unwrap_or(Duration::ZERO).as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let unit = units.into_iter().find(|(seconds, _)| length >= *seconds);
    let (seconds, name) = unit.unwrap_or((1, "s"));
    format!("{} {name}", length / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_their_largest_unit() {
        let told = |seconds| ago(TimeDelta::seconds(seconds));
        assert_eq!(told(0), "0 s");
        assert_eq!(told(59), "59 s");
        assert_eq!(told(61), "1 min");
        assert_eq!(told(7_300), "2 h");
        assert_eq!(told(86_400 * 31), "31 d");
        assert_eq!(told(-5), "0 s");
    }
}
