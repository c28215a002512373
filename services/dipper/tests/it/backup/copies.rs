//! Copies of folders, and the commands that make and restore backups.

use std::path::{Path, PathBuf};

use testkit::{Launch, nats_server};

use crate::setup::DIPPER;

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Puts a copy in a folder's place.
pub fn replace(folder: &Path, by: &Path) {
    std::fs::remove_dir_all(folder).unwrap();
    copy(by, folder);
}

/// `dipper backup` or `dipper restore` with what else is said.
pub fn command(words: &[&str], data: &Path) -> Launch {
    let (data, server) = (data.to_string_lossy(), nats_server());
    let server = server.to_string_lossy();
    let more = ["--data-dir", &*data, "--nats-server", &*server];
    Launch::new(DIPPER, &[words, &more].concat())
}

/// Runs a command to its end. Says what it said when it failed.
pub async fn outcome(launch: &Launch) -> Result<String, String> {
    let output = launch.output().await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.code() {
        Some(0) => Ok(text(&output.stdout)),
        _ => Err(text(&output.stderr)),
    }
}

/// Makes a backup, whether the instance runs or not.
pub async fn back_up(data: &Path, shelf: &Path) {
    let made = command(&["backup", &shelf.to_string_lossy()], data);
    let said = outcome(&made).await.unwrap();
    assert!(said.contains("lives until"), "{said}");
}

/// The backups in a folder, the oldest first.
pub fn backups(shelf: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shelf).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// Restores the newest backup, saying more.
pub async fn restore(shelf: &Path, data: &Path, more: &[&str]) -> Result<String, String> {
    let shelf = shelf.to_string_lossy();
    outcome(&command(&[&["restore", &*shelf], more].concat(), data)).await
}

/// An empty data folder with an instance's keys and its ledger, as they are now.
pub fn emptied(data: &Path) -> tempfile::TempDir {
    let empty = tempfile::tempdir().unwrap();
    for part in ["keys", "ledger"] {
        copy(&data.join(part), &empty.path().join(part));
    }
    empty
}
