//! The program as its users start it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, nats_server};

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: Option<PathBuf>,
}

/// A program that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    launch: Launch,
    child: Child,
    /// `http://ADDR:PORT` that it said it is ready on.
    pub url: String,
    /// How long it took to say so.
    pub ready_after: Duration,
    /// What it printed before.
    pub said: Vec<String>,
}

impl Launch {
    /// A program with arguments.
    pub fn new(binary: &str, arguments: &[&str]) -> Self {
        Self {
            binary: binary.to_owned(),
            arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
            environment: Vec::new(),
            log: None,
        }
    }

    /// `dipper up` on a folder and a free port.
    pub fn up(binary: &str, folder: &Path) -> Self {
        let folder = folder.to_string_lossy();
        let server = nats_server();
        Self::new(
            binary,
            &[
                "up",
                "--data-dir",
                &folder,
                "--listen",
                "127.0.0.1:0",
                "--nats-server",
                &server.to_string_lossy(),
            ],
        )
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, by another program.
    pub fn by(mut self, binary: &Path) -> Self {
        self.binary = binary.display().to_string();
        self
    }

    /// Runs it on one core only.
    pub fn pinned_to(mut self, core: usize) -> Self {
        let binary = std::mem::replace(&mut self.binary, "taskset".to_owned());
        let by = ["-c".to_owned(), core.to_string(), binary];
        self.arguments.splice(0..0, by);
        self
    }

    /// Appends what it writes to stderr to a file.
    pub fn log_to(mut self, file: &Path) -> Self {
        self.log = Some(file.to_owned());
        self
    }

    fn last_log_line(&self) -> String {
        let log = self.log.as_ref().map(std::fs::read_to_string);
        let log = log.and_then(Result::ok).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments).kill_on_drop(true);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DIPPER_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().cloned());
        if let Some(log) = &self.log {
            let file = std::fs::File::options().create(true).append(true).open(log);
            command.stderr(file.expect("the log can be written"));
        }
        command
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(self) -> Running {
        let began = Instant::now();
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix("dipper ready ") {
                    return url.to_owned();
                }
                said.push(line);
            }
            panic!(
                "{:?} ended before it was ready; it said {said:?} {}",
                self.arguments,
                self.last_log_line()
            );
        })
        .await
        .expect("it becomes ready in time");
        // What it says later must not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Running {
            launch: self,
            child,
            url,
            ready_after: began.elapsed(),
            said,
        }
    }

    /// Kills it after a while. Says whether it had ended by then.
    pub async fn killed_after(&self, time: Duration) -> bool {
        let running = self.command().stdin(Stdio::null()).output();
        tokio::time::timeout(time, running).await.is_ok()
    }

    /// Runs it to its end.
    pub async fn output(&self) -> Output {
        let running = self.command().stdin(Stdio::null()).output();
        tokio::time::timeout(PATIENCE, running)
            .await
            .expect("it ends in time")
            .expect("the program starts")
    }
}

impl Running {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal by its name, e.g. `STOP`.
    pub async fn signal(&self, name: &str) {
        signal(self.pid(), name).await;
    }

    /// How it was started, once it has ended by itself or by a signal.
    pub async fn ended(self) -> Launch {
        self.ended_within(PATIENCE).await
    }

    /// The same for what takes its time.
    pub async fn ended_within(mut self, time: Duration) -> Launch {
        let ended = tokio::time::timeout(time, self.child.wait()).await;
        ended.expect("it ends in time").unwrap();
        self.launch.clone()
    }

    /// kill -9, at once.
    pub async fn kill(mut self) -> Launch {
        self.child.kill().await.expect("it can be killed");
        self.launch.clone()
    }

    /// SIGTERM; returns its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        self.signal("TERM").await;
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("it stops in time");
        status.unwrap().code()
    }
}

/// Sends a signal to a process.
pub async fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.await.unwrap().success(), "{pid} gets SIG{name}");
}
