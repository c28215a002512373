//! Databases in PostgreSQL, copied and brought back by its own programs: all services' schemas as they are at one
//! moment, and nothing of rows that were deleted.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use chassis::database::DatabaseUrl;
use chassis::settings::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use url::Url;

use super::pack::{Packer, Unpacker};

/// What the copy is called in a backup.
const NAME: &str = "postgres";
const CHUNK: usize = 1024 * 1024;

/// The programs, and the database that they are run on.
pub(super) struct Postgres {
    folder: Option<PathBuf>,
    /// Without the password: whoever lists processes sees it.
    address: String,
    password: String,
    schemas: Vec<String>,
}

impl Postgres {
    /// None if the databases are files.
    pub fn of(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let DatabaseUrl::Postgres(address) = settings.database()? else {
            return Ok(None);
        };
        let mut url = Url::parse(&address).context("this is no PostgreSQL address")?;
        let password = url.password().unwrap_or_default();
        let password = percent_encoding::percent_decode_str(password).decode_utf8()?;
        let password = password.into_owned();
        // It is an address with a host: of those a password can be taken.
        let _ = url.set_password(None);
        Ok(Some(Self {
            folder: settings.postgres_programs.clone(),
            address: url.into(),
            password,
            schemas: data_map::services()
                .map(|name| name.replace('-', "_"))
                .collect(),
        }))
    }

    /// Whether a service has tables there.
    pub async fn is_empty(&self) -> anyhow::Result<bool> {
        let names = self.schemas.join("', '");
        let count = format!("SELECT count(*) FROM pg_namespace WHERE nspname IN ('{names}')");
        let arguments = ["--tuples-only", "--no-align", "--command", &count];
        Ok(self.psql(&arguments).await?.trim() == "0")
    }

    /// Copies all of it. Says when it was as it is in the copy, at the latest.
    pub async fn dump(&self, packer: &mut Packer) -> anyhow::Result<Instant> {
        const PROGRAM: &str = "pg_dump";
        let mut command = self.command(PROGRAM);
        command.args(["--format=custom", "--no-owner", "--no-privileges"]);
        command.args(
            self.schemas
                .iter()
                .map(|schema| format!("--schema={schema}")),
        );
        let mut child = spawn(PROGRAM, &mut command)?;
        let mut output = child.stdout.take().context("it has an output")?;
        let copying = async {
            let mut chunk = vec![0; CHUNK];
            packer.begin(NAME)?;
            // It says nothing before it has its view of the database.
            let mut seen = None;
            loop {
                let read = output.read(&mut chunk).await?;
                match chunk.get(..read) {
                    Some(part) if !part.is_empty() => packer.add(part)?,
                    _ => break,
                }
                seen.get_or_insert_with(Instant::now);
            }
            packer.end()?;
            seen.context("it said nothing")
        };
        finish(PROGRAM, child, copying).await
    }

    /// Brings a copy back, in place of what is there.
    pub async fn restore(&self, packed: &mut Unpacker) -> anyhow::Result<()> {
        const PROGRAM: &str = "pg_restore";
        let name = packed.next_file()?.unwrap_or_default();
        ensure!(name == NAME, "this backup has no databases of PostgreSQL");
        for schema in &self.schemas {
            let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
            self.psql(&["--command", &drop]).await?;
        }
        let mut command = self.command(PROGRAM);
        command.args(["--exit-on-error", "--single-transaction"]);
        command.args(["--no-owner", "--no-privileges"]);
        command.stdin(Stdio::piped());
        let mut child = spawn(PROGRAM, &mut command)?;
        let mut input = child.stdin.take().context("it has an input")?;
        let writing = async move {
            while let Some(part) = packed.next_part()? {
                input.write_all(&part).await?;
            }
            input.shutdown().await?;
            Ok(())
        };
        finish(PROGRAM, child, writing).await
    }

    /// Runs statements. Answers what they print.
    async fn psql(&self, arguments: &[&str]) -> anyhow::Result<String> {
        const PROGRAM: &str = "psql";
        let mut command = self.command(PROGRAM);
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
        let mut child = spawn(PROGRAM, command.args(arguments))?;
        let mut output = child.stdout.take().context("it has an output")?;
        let reading = async {
            let mut said = String::new();
            output.read_to_string(&mut said).await?;
            Ok(said)
        };
        finish(PROGRAM, child, reading).await
    }

    fn command(&self, program: &str) -> Command {
        let path = match &self.folder {
            Some(folder) => folder.join(program),
            None => PathBuf::from(program),
        };
        let mut command = Command::new(path);
        command
            .args(["--no-password", "--dbname", &self.address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !self.password.is_empty() {
            command.env("PGPASSWORD", &self.password);
        }
        command
    }
}

fn spawn(program: &str, command: &mut Command) -> anyhow::Result<Child> {
    command.spawn().with_context(|| {
        format!("cannot start {program}: install PostgreSQL's client programs, of the server's version or later, or name their folder with DIPPER_POSTGRES_PROGRAMS")
    })
}

/// Does what is to be done beside a program, and waits for its end.
async fn finish<T>(
    program: &str,
    mut child: Child,
    beside: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut errors = child.stderr.take().context("it has errors")?;
    let mut said = Vec::new();
    let (done, read) = tokio::join!(beside, errors.read_to_end(&mut said));
    read?;
    if child.wait().await?.success() {
        return done;
    }
    // Only the first line: what follows may show rows.
    let said = String::from_utf8_lossy(&said);
    bail!(
        "{program} failed: {}",
        said.lines().next().unwrap_or_default()
    )
}
