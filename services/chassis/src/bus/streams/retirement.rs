//! Retirement: an old major of an event that nobody reads any more is taken off its stream's
//! subjects, so that the broker refuses it from whomever. What was published stays.

use anyhow::{Context as _, ensure};
use async_nats::jetstream::stream::Config;
use envelope::CATALOGUE;
use envelope::catalogue::Deprecation;

use crate::bus::{Bus, old_readers};

/// Under this name a stream's metadata lists what was retired, separated by spaces.
const RETIRED: &str = "dipper-retired";

/// Whether an old major was retired at the broker.
pub fn is_retired(stream: &Config, old: &Deprecation) -> bool {
    let name = old.name();
    retired(stream).any(|retired| retired == name)
}

fn retired(stream: &Config) -> impl Iterator<Item = &str> {
    let names = stream.metadata.get(RETIRED).map_or("", String::as_str);
    names.split(' ').filter(|name| !name.is_empty())
}

/// Carries over to the configuration that is wanted what was retired before.
pub(super) fn keep(found: &Config, wanted: &mut Config) {
    let names: Vec<&str> = retired(found).collect();
    if !names.is_empty() {
        leave_out(wanted, &names);
    }
}

/// Subjects of the catalogue instead of all of an entity, but for what is retired.
fn leave_out(config: &mut Config, names: &[&str]) {
    let mut subjects: Vec<String> = Vec::new();
    for contract in CATALOGUE
        .iter()
        .filter(|one| one.stream.name == config.name)
    {
        let (filter, major) = (contract.filter(), contract.version.major);
        let name = format!("{}@{major}", contract.name());
        if !names.contains(&name.as_str()) && !subjects.contains(&filter) {
            subjects.push(filter);
        }
    }
    config.subjects = subjects;
    let metadata = &mut config.metadata;
    metadata.insert(RETIRED.to_owned(), names.join(" "));
}

/// Retires an old major. Refused while somebody reads it and no newer one.
pub async fn retire(bus: &Bus, old: &Deprecation, declared: &[String]) -> anyhow::Result<()> {
    let mut readers = old_readers::seen(bus, old).await?;
    if declared.contains(&old.name()) {
        readers.push("a reader that the setting old_readers declares".to_owned());
    }
    ensure!(
        readers.is_empty(),
        "{} is still read by {}; it can be retired when they read a newer version",
        old.name(),
        readers.join(", ")
    );
    let declared = old.stream().context("its stream is not in the catalogue")?;
    let stream = bus.jetstream().get_stream(declared.name).await;
    let stream = stream.with_context(|| format!("cannot look up {}", declared.name))?;
    let mut config = stream.cached_info().config.clone();
    let name = old.name();
    let before = config.clone();
    let mut names: Vec<&str> = retired(&before).collect();
    if names.contains(&name.as_str()) {
        return Ok(());
    }
    names.push(&name);
    leave_out(&mut config, &names);
    let updated = bus.jetstream().update_stream(config).await;
    updated.with_context(|| format!("the broker does not change {}", declared.name))?;
    Ok(())
}
