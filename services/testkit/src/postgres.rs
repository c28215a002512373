//! A PostgreSQL server of one test's own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::eventually;

const SETTINGS: &str = include_str!("../../../deploy/postgresql.conf");
const ROLE: &str = include_str!("../../../deploy/postgresql-role.sql");

/// A server that runs until it is dropped, set up as `deploy/` says.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder: the server must be gone when its files are removed.
    server: Child,
    port: u16,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server with an empty database.
    pub async fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let user = server_user().await;
        if let Some(user) = &user {
            // PostgreSQL refuses to run as root.
            run("chown", &["-R", user, &folder.path().to_string_lossy()]).await;
        }
        initialise(&data, user.as_deref()).await;
        let data = data.to_string_lossy().into_owned();
        let port = chassis::nats_server::free_port().unwrap();
        let socket_folder = folder.path().to_string_lossy().into_owned();
        let server = as_user(user.as_deref(), &programs.join("postgres"))
            .args([
                "-D",
                &data,
                "-p",
                &port.to_string(),
                "-k",
                &socket_folder,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
                // In its folder, where it can be searched.
                "-c",
                "logging_collector=on",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let postgres = Self {
            server,
            port,
            folder,
        };
        postgres.make_role().await;
        postgres
    }

    /// Waits until it answers, and makes the role that the services have.
    async fn make_role(&self) {
        let mut superuser = eventually("PostgreSQL answers", || async {
            PgConnection::connect(&self.url_of("postgres")).await.ok()
        })
        .await;
        let role = format!("{ROLE} GRANT CREATE ON DATABASE postgres TO dipper;");
        let made = sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut superuser);
        made.await.unwrap();
        superuser.close().await.unwrap();
    }

    /// Its address for `DIPPER_DATABASE_URL`.
    pub fn url(&self) -> String {
        self.url_of("dipper")
    }

    /// Its address for another role; `postgres` may everything.
    pub fn url_of(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/postgres", self.port)
    }

    /// The folder with all its files.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Started with exec, so this is the server itself; its children end with it.
        if let Some(pid) = self.server.id() {
            let stopped = std::process::Command::new("kill")
                .args(["-INT", &pid.to_string()])
                .status();
            while stopped.is_ok() && matches!(self.server.try_wait(), Ok(None)) {
                std::thread::yield_now();
            }
        }
    }
}

/// Makes the files of an empty database, with our settings.
async fn initialise(data: &Path, user: Option<&str>) {
    let folder = data.to_string_lossy();
    let made = as_user(user, &programs().join("initdb"))
        .args([
            "-D",
            &folder,
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ])
        .stdout(Stdio::null())
        .status();
    assert!(made.await.unwrap().success(), "initdb works");
    let config = data.join("postgresql.conf");
    let settings = format!("{}{SETTINGS}", std::fs::read_to_string(&config).unwrap());
    std::fs::write(config, settings).unwrap();
}

/// The version that is installed, or a word that none is.
pub fn version() -> String {
    let asked = std::process::Command::new(programs().join("postgres"))
        .arg("--version")
        .output();
    let text = asked.map_or_else(
        |_| "none".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    let version = text.split_whitespace().nth(2);
    version.unwrap_or("none").to_owned()
}

/// The folder with initdb and postgres: `DIPPER_TEST_POSTGRES`, as `./dipper test` sets it, or
/// where Debian keeps them.
pub fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("DIPPER_TEST_POSTGRES") {
        return PathBuf::from(folder);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .max()
        .expect("PostgreSQL is installed; `./dipper test` sees to it")
}

/// Root runs the server as the user that Debian's package makes.
async fn server_user() -> Option<String> {
    let id = Command::new("id").arg("-u").output().await.unwrap();
    (id.stdout == b"0\n").then(|| "postgres".to_owned())
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            // The signal at our end makes sure that no server outlives a test that was killed.
            command
                .args([
                    "--reuid",
                    user,
                    "--regid",
                    user,
                    "--init-groups",
                    "--pdeathsig",
                    "INT",
                    "--",
                ])
                .arg(program);
            command
        }
        None => Command::new(program),
    }
}

async fn run(program: &str, arguments: &[&str]) {
    assert!(
        Command::new(program)
            .args(arguments)
            .status()
            .await
            .unwrap()
            .success(),
        "{program} works"
    );
}
