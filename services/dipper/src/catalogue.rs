//! `dipper catalogue`: list, check and export what the events are.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use envelope::compat::{self, File};
use envelope::{CATALOGUE, Contract, asyncapi, page, schemas};

use crate::arguments::{Catalogue, ExportFormat};
use crate::say;

/// Runs one of the commands.
pub(crate) fn run(command: &Catalogue) -> anyhow::Result<ExitCode> {
    match command {
        Catalogue::List => list(),
        Catalogue::Check { schemas } => return check(schemas),
        Catalogue::Export { format, folder } => export(*format, folder)?,
        Catalogue::Readers(_) | Catalogue::Retire(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn list() {
    for contract in CATALOGUE {
        let days = contract.stream.retention.map_or_else(
            || "for ever".to_owned(),
            |life| format!("{} days", life.as_secs() / 86_400),
        );
        let consumers: Vec<&str> = contract
            .consumers
            .iter()
            .map(|consumer| consumer.service)
            .collect();
        say(&format!(
            "{:<20} {:<4} {:<13} {:<9} {} -> {}",
            contract.name(),
            contract.version.to_string(),
            contract.stream.name,
            days,
            contract.producer.service,
            consumers.join(", ")
        ));
    }
}

/// What this program was built with is what was published: the folder must hold the same, and
/// every minor version in it must get along with its neighbours.
fn check(folder: &Path) -> anyhow::Result<ExitCode> {
    let current = read(folder)?;
    let mut breaches = compat::check(&compat::embedded(), &current);
    breaches.extend(compat::drift(&current));
    breaches.dedup_by(|a, b| a.file == b.file && a.pointer == b.pointer);
    for breach in &breaches {
        let witness = breach
            .witness
            .as_deref()
            .map_or(String::new(), |text| format!(" (witness: {text})"));
        say(&format!(
            "{} {}: {}{witness}",
            breach.file, breach.pointer, breach.rule
        ));
    }
    if !breaches.is_empty() {
        bail!("{} schema problems in {}", breaches.len(), folder.display());
    }
    say(&format!(
        "{} schemas checked: unchanged, and all minor versions are compatible",
        current.len()
    ));
    Ok(ExitCode::SUCCESS)
}

/// All schema files of a folder as (path below it, text).
fn read(folder: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = std::fs::read_dir(&next).with_context(|| {
            format!(
                "cannot read {}; name the folder with --schemas",
                next.display()
            )
        })?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json") {
                let name = path
                    .strip_prefix(folder)?
                    .to_string_lossy()
                    .replace('\\', "/");
                files.push((name, std::fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn export(format: ExportFormat, folder: &Path) -> anyhow::Result<()> {
    match format {
        ExportFormat::Asyncapi => write(folder, "asyncapi.json", &asyncapi::text()),
        ExportFormat::Html => write(folder, "catalogue.html", &page::html()),
        ExportFormat::Schemas => {
            for contract in CATALOGUE.iter().copied() {
                write_schema(folder, contract)?;
            }
            Ok(())
        }
    }
}

fn write_schema(folder: &Path, contract: &Contract) -> anyhow::Result<()> {
    write(folder, &schemas::path(contract), &schemas::render(contract))
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make {}", parent.display()))?;
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}
