//! A nats-server as a child process: on a loopback port, restarted when it dies, gone when we are.

mod credentials;
pub mod log;
mod logins;
mod permissions;

use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bus::monitoring::is_healthy;
use crate::bus::silence;
use crate::keys::{create_private_folder, write_private};
pub use credentials::{Credentials, Login};
pub use logins::{inbox_prefix, logins, logins_for_one_machine};
pub use permissions::{Grant, LIMITS, Permissions, authorization_from_environment};

/// The oldest server that `up` starts.
const OLDEST: (u32, u32, u32) = (2, 15, 1);
/// Below Linux's `ip_local_port_range`, which begins at 32,768, and above what services are wont to have.
const NOTED_PORTS: Range<u16> = 15_000..32_768;
const PORTS_TRIED: usize = 100;
const HEALTHY_WITHIN: Duration = Duration::from_mins(1);
const STOPS_WITHIN: Duration = Duration::from_secs(10);
const RESTART_AGAIN: Duration = Duration::from_secs(1);
const TELLS_VERSION_WITHIN: Duration = Duration::from_secs(10);

/// The shell keeps the server and waits for our end of its input to close: then we are gone,
/// however we went, and the server must not go on alone with our store.
const KEEPER: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & server=$!
( cat <&3 >/dev/null; kill "$server" 2>/dev/null ) & watcher=$!
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
exit "$status""#;

/// Where the monitoring of the server listens that `up` keeps in a folder.
pub fn monitoring_of(folder: &Path) -> anyhow::Result<String> {
    let config = std::fs::read_to_string(folder.join("nats.conf"))?;
    let mut lines = config.lines();
    let address = lines.find_map(|line| line.strip_prefix("http: \"")?.strip_suffix('"'));
    Ok(address
        .context("nats.conf names no monitoring address")?
        .to_owned())
}

/// The log of the server that `up` keeps in a folder.
pub fn log_of(folder: &Path) -> PathBuf {
    folder.join("nats-server.log")
}

/// A running nats-server.
#[derive(Debug)]
pub struct NatsServer {
    program: PathBuf,
    folder: PathBuf,
    credentials: Credentials,
    child: Child,
    /// Its end is the signal to stop. Held apart from the child, whose `wait` would close it.
    leash: Option<ChildStdin>,
}

impl NatsServer {
    /// Starts a server that keeps its streams in a folder, with a login of its own for whoever is permitted anything.
    pub async fn start(
        program: &Path,
        folder: &Path,
        permissions: &[Permissions],
    ) -> anyhow::Result<Self> {
        check_version(program).await?;
        create_private_folder(folder)?;
        wait_for_earlier(folder).await?;
        let url = format!("nats://127.0.0.1:{}", free_port()?);
        let credentials = Credentials::new(url, permissions);
        write_config(folder, &credentials, permissions, free_port()?)?;
        write_private(
            &folder.join("credentials.json"),
            &serde_json::to_string_pretty(&credentials)?,
        )?;
        let (child, leash) = spawn(program, folder)?;
        let mut server = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            credentials,
            child,
            leash,
        };
        server.wait_until_healthy().await?;
        Ok(server)
    }

    /// The logins.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where its monitoring listens.
    pub fn monitoring(&self) -> anyhow::Result<String> {
        monitoring_of(&self.folder)
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.folder.join("nats-server.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Restarts the server, on the same port, whenever it dies or is silent. Ends it when `end` is cancelled.
    pub async fn supervise(mut self, end: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                biased;
                () = end.cancelled() => return self.stop().await,
                () = silence::noticed() => self.kill_server().await?,
                status = self.child.wait() => {
                    tracing::warn!(status = ?status.ok(), "nats-server ended; starting it again");
                    while let Err(error) = self.restart().await {
                        let error = format!("{error:#}");
                        tracing::error!(error, "nats-server does not start; trying again");
                        tokio::select! {
                            () = tokio::time::sleep(RESTART_AGAIN) => {}
                            () = end.cancelled() => return self.stop().await,
                        }
                    }
                    tracing::info!("nats-server is back");
                }
            }
        }
    }

    /// Starts the server once more, after the one before is gone for certain: if only its keeper
    /// died, letting go of the leash ends it.
    async fn restart(&mut self) -> anyhow::Result<()> {
        drop(self.leash.take());
        wait_for_earlier(&self.folder).await?;
        (self.child, self.leash) = spawn(&self.program, &self.folder)?;
        self.wait_until_healthy().await
    }

    /// Ends the server and waits for it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.leash.take());
        if tokio::time::timeout(STOPS_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            tracing::warn!("nats-server does not end; killing it");
            self.kill_server().await?;
            self.child.kill().await?;
        }
        Ok(())
    }

    async fn kill_server(&self) -> anyhow::Result<()> {
        if let Some(pid) = self.pid()
            && is_server_of(pid, &self.folder).await
        {
            let pid = pid.to_string();
            let killed = Command::new("kill").args(["-KILL", &pid]).status().await;
            killed.context("cannot kill the nats-server")?;
        }
        Ok(())
    }

    /// The plain health check: an existing store must be open before a stream is created, or
    /// creating it would delete what could not be opened.
    async fn wait_until_healthy(&mut self) -> anyhow::Result<()> {
        let address = self.monitoring()?;
        let deadline = Instant::now() + HEALTHY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "nats-server ended at once ({status}): {}",
                    last_log_line(&self.folder)
                );
            }
            if is_healthy(&address).await {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "nats-server did not become healthy: {}",
                last_log_line(&self.folder)
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn spawn(program: &Path, folder: &Path) -> anyhow::Result<(Child, Option<ChildStdin>)> {
    let mut child = Command::new("sh")
        .args(["-c", KEEPER, "nats-keeper"])
        .arg(program)
        .arg("-c")
        .arg(folder.join("nats.conf"))
        // What a terminal or a service manager sends to our group is for us: we end the server last.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let leash = child.stdin.take();
    Ok((child, leash))
}

fn last_log_line(folder: &Path) -> String {
    let log = std::fs::read_to_string(log_of(folder)).unwrap_or_default();
    log.lines().last().unwrap_or("it wrote no log").to_owned()
}

/// A server left by a process that was killed ends by itself; two must never share a store.
async fn wait_for_earlier(folder: &Path) -> anyhow::Result<()> {
    let Ok(text) = std::fs::read_to_string(folder.join("nats-server.pid")) else {
        return Ok(());
    };
    let Ok(pid) = text.trim().parse::<u32>() else {
        return Ok(());
    };
    let deadline = Instant::now() + Duration::from_secs(15);
    while is_server_of(pid, folder).await {
        ensure!(
            Instant::now() < deadline,
            "a nats-server with process id {pid} still uses {}; end it first",
            folder.display()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn is_server_of(pid: u32, folder: &Path) -> bool {
    let listing = Command::new("ps")
        .args(["-o", "args=", "-p", &pid.to_string()])
        .output()
        .await;
    let config = folder.join("nats.conf");
    match listing {
        Ok(output) => String::from_utf8_lossy(&output.stdout).contains(&*config.to_string_lossy()),
        // No ps: trust the process table of Linux, if there is one.
        Err(_) => std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&*config.to_string_lossy())),
    }
}

/// A port that is free now, and not one of those that systems give to whoever asks for any port or
/// calls out: it is noted for every later start, and somebody's connection must not have it then.
pub fn free_port() -> anyhow::Result<u16> {
    for _ in 0..PORTS_TRIED {
        let port = rand::random_range(NOTED_PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!(
        "no port between {} and {} seems to be free",
        NOTED_PORTS.start,
        NOTED_PORTS.end
    )
}

fn write_config(
    folder: &Path,
    credentials: &Credentials,
    permissions: &[Permissions],
    monitoring: u16,
) -> anyhow::Result<()> {
    let listen = credentials.url.trim_start_matches("nats://");
    let text = |path: PathBuf| serde_json::to_string(&path.to_string_lossy());
    let config = format!(
        "# Written at each start.\n\
         server_name: \"dipper\"\n\
         listen: \"{listen}\"\n\
         http: \"127.0.0.1:{monitoring}\"\n\
         pid_file: {}\n\
         log_file: {}\n\
         logfile_size_limit: 10MB\n\
         {LIMITS}\
         jetstream {{\n  store_dir: {}\n  # More than all streams may take: left alone, the server allows them three quarters of what is free\n  # on the disk, and refuses them on a small one.\n  max_file_store: 64GB\n  # Sent events stay in the outboxes far longer than this.\n  sync_interval: \"100ms\"\n}}\n\
         {}",
        text(folder.join("nats-server.pid"))?,
        text(log_of(folder))?,
        text(folder.join("store"))?,
        credentials.authorization(permissions),
    );
    write_private(&folder.join("nats.conf"), &config)
}

/// Refuses a program that is no nats-server or too old.
async fn check_version(program: &Path) -> anyhow::Result<()> {
    let asked = Command::new(program)
        .arg("--version")
        .kill_on_drop(true)
        .output();
    let asked = tokio::time::timeout(TELLS_VERSION_WITHIN, asked).await;
    let output = asked.unwrap_or_else(|late| Err(late.into())).with_context(|| {
        format!(
            "cannot run {}: install nats-server 2.15.1 or later, or name it with --nats-server PATH",
            program.display()
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = parse_version(&text).with_context(|| {
        format!(
            "{} does not tell its version; name a nats-server with --nats-server PATH",
            program.display()
        )
    })?;
    let (major, minor, patch) = OLDEST;
    ensure!(
        version >= OLDEST,
        "{} is nats-server {}.{}.{}; name {major}.{minor}.{patch} or later with --nats-server PATH",
        program.display(),
        version.0,
        version.1,
        version.2
    );
    Ok(())
}

/// The version in `nats-server: v2.15.1`.
fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    text.split('v').find_map(|part| {
        let mut numbers = part
            .trim()
            .split(['.', '-'])
            .map_while(|number| number.parse().ok());
        Some((numbers.next()?, numbers.next()?, numbers.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_prints() {
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some((2, 15, 1)));
        assert_eq!(
            parse_version("nats-server: v2.9.10-beta.1"),
            Some((2, 9, 10))
        );
        assert_eq!(parse_version("bash, version 5"), None);
    }
}
