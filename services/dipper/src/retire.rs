//! `dipper catalogue readers` and `retire`: the end of an old major version.

use anyhow::{Context as _, bail};
use chassis::bus::streams::retirement;
use chassis::bus::{Bus, old_readers};
use chassis::settings::Settings;
use envelope::catalogue::{DEPRECATED, Deprecation};

use crate::say;

/// Prints who still reads an old version only.
pub(crate) async fn readers(settings: &Settings, name: &str) -> anyhow::Result<()> {
    let old = find(name)?;
    let bus = Bus::connect(&settings.broker_of_instance("operator")?, "operator").await?;
    let mut readers = old_readers::seen(&bus, old).await?;
    bus.close().await;
    if declared(settings).contains(&old.name()) {
        readers.push("declared by the setting old_readers".to_owned());
    }
    if readers.is_empty() {
        say(&format!("nobody reads {} only", old.name()));
    }
    for reader in readers {
        say(&reader);
    }
    Ok(())
}

/// Retires an old version.
pub(crate) async fn retire(settings: &Settings, name: &str) -> anyhow::Result<()> {
    let old = find(name)?;
    let bus = Bus::connect(&settings.broker_of_instance("setup")?, "setup").await?;
    let retired = retirement::retire(&bus, old, &declared(settings)).await;
    bus.close().await;
    retired?;
    say(&format!(
        "{} is retired: the broker refuses it from now on",
        old.name()
    ));
    Ok(())
}

fn declared(settings: &Settings) -> Vec<String> {
    let names = settings.old_readers.split(',');
    names.map(|name| name.trim().to_owned()).collect()
}

/// An old version by its name: `rate.update@1` or, shorter, `rate@1`.
fn find(name: &str) -> anyhow::Result<&'static Deprecation> {
    let (event, major) = name
        .split_once('@')
        .context("name event and major, e.g. rate.update@1")?;
    let meant: Vec<&Deprecation> = DEPRECATED
        .iter()
        .copied()
        .filter(|old| old.major.to_string() == major)
        .filter(|old| old.entity == event || format!("{}.{}", old.entity, old.kind) == event)
        .collect();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => {
            let all: Vec<String> = DEPRECATED.iter().map(|old| old.name()).collect();
            bail!("{name} is no old version; there are: {}", all.join(", "))
        }
        _ => bail!("{name} may mean several events; name one"),
    }
}
