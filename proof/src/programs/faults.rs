//! Mistakes planted in the product: each must make a program of the set fail.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use futures::{StreamExt as _, stream};

use super::{Setting, Size, find, run as run_program};
use crate::cargo;
use crate::report::{Line, Outcome};

/// How many are shown side by side.
const SIDE_BY_SIDE: usize = 3;

/// Each mistake, and the program that notices it.
const FAULTS: [(&str, &str); 18] = [
    ("no-inbox", "rewind"),
    ("short-inbox", "rewind"),
    ("ack-before-commit", "prefetch"),
    ("keeps-prefetched", "prefetch"),
    ("lease-unchecked", "fence"),
    ("accepted-before-commit", "kills"),
    ("outbox-afterwards", "kills"),
    ("sent-before-ack", "kills"),
    ("new-id-on-retry", "kills"),
    ("no-order", "kills"),
    ("mail-before-commit", "kills"),
    ("no-redrive", "wipe"),
    ("checkpoint-without-reset", "wipe"),
    ("parked-as-done", "poison"),
    ("no-lanes", "poison"),
    ("no-dead-letter", "poison"),
    ("one-version-only", "versions"),
    ("other-id-in-old-version", "versions"),
];

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let binary = build(&setting).await?;
    let mut outcome = Outcome::default();
    let mut runs = Vec::with_capacity(FAULTS.len());
    for (fault, program) in FAULTS {
        let setting = Setting {
            size: Size::Tiny,
            binary: binary.clone(),
            environment: vec![("DIPPER_FAULT".to_owned(), fault.to_owned())],
            ..setting.clone()
        };
        runs.push(shown(fault, program, setting));
    }
    let found: Vec<(&str, anyhow::Result<Line>)> =
        stream::iter(runs).buffered(SIDE_BY_SIDE).collect().await;
    let mut noticed = 0;
    for (fault, line) in found {
        let line = line?;
        let complaints = line.outcome.complaints();
        noticed += usize::from(!complaints.is_empty());
        let saw = complaints.first().map_or("nothing", String::as_str);
        outcome.did(format!(
            "\n    {fault:<26} {:<9} {:>3} s  {saw}",
            line.program,
            line.took.as_secs()
        ));
        outcome.demand(!complaints.is_empty(), || format!("{fault} goes unnoticed"));
    }
    outcome.did.insert(
        0,
        format!("{noticed} of {} planted mistakes are noticed", FAULTS.len()),
    );
    Ok(outcome)
}

async fn shown(
    fault: &'static str,
    program: &'static str,
    setting: Setting,
) -> (&'static str, anyhow::Result<Line>) {
    let line = match find(program) {
        Some(program) => Ok(run_program(program, setting).await),
        None => Err(anyhow!("there is no program {program}")),
    };
    (fault, line)
}

/// The product with mistakes in it. Built in the same target folder, where the crates that have
/// none of them are built already, and kept beside the sound one.
async fn build(setting: &Setting) -> anyhow::Result<PathBuf> {
    let folder = setting
        .binary
        .parent()
        .context("the binary is in no folder")?;
    let planted = folder.join("planted").join("dipper");
    std::fs::create_dir_all(folder.join("planted"))?;
    // Building with another feature replaces the binary of the same name: the sound one is put
    // back. Moved, not copied: each of them may run.
    let (built, sound) = (folder.join("dipper"), folder.join("planted/sound"));
    std::fs::copy(&built, &sound)?;
    cargo::build(&["dipper/planted-faults"]).await?;
    let fresh = planted.with_extension("new");
    std::fs::copy(&built, &fresh)?;
    std::fs::rename(fresh, &planted)?;
    std::fs::rename(sound, built)?;
    Ok(planted)
}
