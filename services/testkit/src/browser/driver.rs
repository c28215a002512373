//! Chromium's driver: one for each test, with browsers of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::Browser;
use crate::PATIENCE;

/// A driver that runs until it is dropped, with its browsers and all that they wrote.
pub struct Driver {
    process: Child,
    group: u32,
    url: String,
    folder: TempDir,
}

impl Driver {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = chromedriver();
        // A group of its own is what ends the browsers of a test that failed, and a home of its
        // own takes what they write beside their profiles.
        let mut process = Command::new(&program)
            .arg("--port=0")
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = tokio::time::timeout(PATIENCE, port(&mut lines))
            .await
            .unwrap();
        // What it says later must not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            group: process.id().unwrap(),
            process,
            url: format!("http://127.0.0.1:{port}"),
            folder,
        }
    }

    /// Opens a browser with a fresh profile, on an instance.
    pub async fn browser(&self, instance: &str, profile: &str) -> Browser {
        Browser::open(&self.url, &self.folder.path().join(profile), instance).await
    }

    /// Ends it; its browsers have been closed.
    pub async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.group);
        // After a graceful end nobody is left to kill, which is no failure.
        let _ended = std::process::Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
    }
}

/// The driver that tests use: `DIPPER_TEST_CHROMEDRIVER`, as `./dipper test` sets it, or the one
/// on the PATH.
fn chromedriver() -> PathBuf {
    std::env::var_os("DIPPER_TEST_CHROMEDRIVER")
        .map_or_else(|| PathBuf::from("chromedriver"), PathBuf::from)
}

/// The port that it says it listens on.
async fn port(lines: &mut Lines<BufReader<ChildStdout>>) -> u16 {
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
    panic!("chromedriver ended before it was ready");
}
