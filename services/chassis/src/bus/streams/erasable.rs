//! Whether what a personal stream holds can be erased. Settings under which a deleted message stays on
//! a disk are refused, and not put right: what was written under them stays where it is.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_nats::jetstream::consumer::{self, Info};
use async_nats::jetstream::stream::{Compression, Config, PersistenceMode, Stream};
use futures::TryStreamExt as _;

use crate::bus::monitoring;
use crate::ids::ids_in;

/// A broker keeps personal events in such a way that nobody could erase them.
#[derive(Debug, thiserror::Error)]
#[error("{place} would keep what is erased: {}", .reasons.join("; "))]
pub struct Unerasable {
    /// The stream or the server.
    place: String,
    reasons: Vec<String>,
}

/// Refuses a stream that would keep what is erased, or tell of it.
pub(super) async fn check(stream: &Stream, config: &Config) -> anyhow::Result<()> {
    let consumers = stream.consumers().try_collect::<Vec<Info>>().await;
    let consumers = consumers.context("cannot list its consumers")?;
    let mut reasons = of_config(config);
    reasons.extend(
        consumers
            .iter()
            .filter_map(|info| of_consumer(&info.config)),
    );
    let place = format!("the stream {}", config.name);
    refuse(place, reasons)
}

/// Refuses a server that encrypts its streams: with a key of its own it no longer overwrites what is
/// deleted. Says whether its folder could be looked into, which only works on its own machine.
pub async fn check_server(address: &str) -> anyhow::Result<bool> {
    let Some(folder) = monitoring::store_folder(address).await? else {
        return Ok(false);
    };
    let looked = tokio::task::spawn_blocking(move || encrypted_stream(&folder)).await?;
    let Ok(encrypted) = looked else {
        return Ok(false);
    };
    let reason = |folder: PathBuf| format!("jetstream-encryption: {} has a key", folder.display());
    let place = format!("the broker at {address}");
    refuse(place, encrypted.map(reason).into_iter().collect())?;
    Ok(true)
}

fn refuse(place: String, reasons: Vec<String>) -> anyhow::Result<()> {
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Unerasable { place, reasons }.into())
}

/// What is wrong with a stream, each with its name first.
fn of_config(config: &Config) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut say = |is_so: bool, reason: &str| {
        if is_so {
            reasons.push(reason.to_owned());
        }
    };
    let is_compressed = matches!(config.compression, Some(Compression::S2));
    say(
        is_compressed,
        "compression: no scan finds what is left in compressed blocks",
    );
    say(
        config.mirror.is_some(),
        "mirror: it takes back what was deleted",
    );
    say(
        config
            .sources
            .as_ref()
            .is_some_and(|sources| !sources.is_empty()),
        "sources: it takes back what was deleted, and keeps the subjects of origin",
    );
    say(config.deny_delete, "deny-delete: no event can be deleted");
    let is_async = matches!(config.persist_mode, Some(PersistenceMode::Async));
    say(
        is_async,
        "persist-mode: what is acknowledged, and what is deleted, may not be on the disk",
    );
    reasons
}

/// A durable consumer's settings are kept in files that no erasure reaches.
fn of_consumer(config: &consumer::Config) -> Option<String> {
    let durable = config.durable_name.as_ref()?;
    let filters = std::iter::once(&config.filter_subject).chain(&config.filter_subjects);
    let names_somebody = filters
        .into_iter()
        .any(|filter| !ids_in(filter.as_bytes()).is_empty());
    // Its own name may hold the id as well.
    let name = if ids_in(durable.as_bytes()).is_empty() {
        durable
    } else {
        "with an id in its name"
    };
    names_somebody
        .then(|| format!("durable-filter: the filter of the consumer {name} names a person"))
}

/// The first stream below a store's folder that has a key of its own.
fn encrypted_stream(store: &Path) -> std::io::Result<Option<PathBuf>> {
    for account in store.read_dir()? {
        let streams = account?.path().join("streams");
        if !streams.is_dir() {
            continue;
        }
        for stream in streams.read_dir()? {
            let stream = stream?.path();
            if stream.join("meta.key").exists() {
                return Ok(Some(stream));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::Source;

    use super::super::{StreamSettings, config};
    use super::*;

    const PERSON: &str = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";

    fn tick() -> Config {
        let settings = StreamSettings {
            duplicate_window: Duration::from_mins(2),
            ..StreamSettings::default()
        };
        config(&envelope::catalogue::TICK, &settings)
    }

    fn only_reason(config: &Config) -> String {
        let reasons = of_config(config);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let (name, _) = reasons[0].split_once(':').unwrap();
        name.to_owned()
    }

    #[test]
    fn our_own_streams_can_be_erased() {
        assert!(of_config(&tick()).is_empty());
    }

    #[test]
    fn each_setting_that_keeps_what_is_deleted_is_refused_by_its_name() {
        let source = || Source {
            name: "OTHER".to_owned(),
            ..Source::default()
        };
        let one = |change: fn(&mut Config, Source)| {
            let mut config = tick();
            change(&mut config, source());
            only_reason(&config)
        };
        assert_eq!(one(|config, _| config.deny_delete = true), "deny-delete");
        assert_eq!(
            one(|config, _| config.compression = Some(Compression::S2)),
            "compression"
        );
        assert_eq!(one(|config, source| config.mirror = Some(source)), "mirror");
        assert_eq!(
            one(|config, source| config.sources = Some(vec![source])),
            "sources"
        );
        assert_eq!(
            one(|config, _| config.persist_mode = Some(PersistenceMode::Async)),
            "persist-mode"
        );
    }

    #[test]
    fn a_durable_may_filter_by_kind_and_not_by_person() {
        let consumer = |durable: Option<&str>, filter: &str| {
            of_consumer(&consumer::Config {
                durable_name: durable.map(str::to_owned),
                filter_subjects: vec!["rate.*.v2.*".to_owned(), filter.to_owned()],
                ..consumer::Config::default()
            })
        };
        let of_person = format!("tick.new.v1.{PERSON}");
        assert_eq!(consumer(Some("notifier"), "tick.new.v1.*"), None);
        assert_eq!(consumer(None, &of_person), None);
        let refused = consumer(Some("spy"), &of_person).unwrap();
        assert!(refused.starts_with("durable-filter: "), "{refused}");
        let refused = consumer(Some(PERSON), &of_person).unwrap();
        assert!(!refused.contains(PERSON), "{refused}");
    }
}
