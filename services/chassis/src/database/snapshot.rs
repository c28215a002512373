//! Copies of all services' SQLite files as they were at one moment, while everybody goes on writing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinHandle;

use super::DatabaseUrl;
use super::generations::{current_generation, files_of};
use super::pools::Place;

/// A writer holds its file for much less.
const OTHERS_END_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Copies the databases of services into a folder, as `<service>.db`, all of them as they were at one
/// moment. For that moment nobody writes; the copying itself holds nobody up. Answers what
/// `meanwhile` says of that moment.
pub async fn snapshot<T>(
    url: &DatabaseUrl,
    services: &[&str],
    into: &Path,
    meanwhile: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let files = live_files(url, services)?;
    let mut held = Vec::with_capacity(files.len());
    for file in &files {
        held.push(hold(file).await?);
    }
    ensure!(
        files == live_files(url, services)?,
        "a database was just exchanged for one that was built anew; make the backup again"
    );
    let mut copies = Vec::with_capacity(files.len());
    for (file, service) in files.iter().zip(services) {
        let to = into.join(format!("{service}.db"));
        let copying = tokio::spawn(copy(file.clone(), to.clone()));
        copies.push((to, copying));
    }
    // A copy reads what there is when it begins; once it writes, it has begun.
    while !copies.iter().all(|(to, copying)| has_begun(to, copying)) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let said = meanwhile();
    for connection in held {
        connection.close().await?;
    }
    for (to, copying) in copies {
        let outcome = copying.await?;
        outcome.with_context(|| format!("cannot write {}", to.display()))?;
    }
    said
}

/// The files of a service's database, of all generations: what a copy takes the place of.
pub fn files(url: &DatabaseUrl, service: &str) -> anyhow::Result<Vec<PathBuf>> {
    match url {
        DatabaseUrl::Sqlite(place) => Ok(files_of(place, service)?),
        DatabaseUrl::Postgres(_) => bail!("PostgreSQL's files are its own"),
    }
}

/// The file that a service's database is copied back to, once those of [`files`] are gone.
pub fn first_file(url: &DatabaseUrl, service: &str) -> anyhow::Result<PathBuf> {
    match url.place(service, 0) {
        Place::Sqlite(file) => Ok(file),
        Place::Postgres { .. } => bail!("PostgreSQL's files are its own"),
    }
}

fn live_files(url: &DatabaseUrl, services: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let live = services.iter().map(|service| {
        match url.place(service, current_generation(url, service)?) {
            Place::Sqlite(file) => Ok(file),
            Place::Postgres { .. } => bail!("PostgreSQL's files are its own"),
        }
    });
    live.collect()
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(OTHERS_END_WITHIN)
}

/// Keeps all others from writing until the connection is closed.
async fn hold(file: &Path) -> anyhow::Result<SqliteConnection> {
    let holding = async {
        let mut connection = options(file).connect().await?;
        let begin = sqlx::query("BEGIN IMMEDIATE");
        begin.execute(&mut connection).await?;
        Ok::<_, sqlx::Error>(connection)
    };
    let held = holding.await;
    held.with_context(|| format!("cannot hold {} for a moment", file.display()))
}

/// Writes only what is in the tables: nothing of what was deleted.
async fn copy(file: PathBuf, to: PathBuf) -> Result<(), sqlx::Error> {
    let mut connection = options(&file).connect().await?;
    let copying = sqlx::query("VACUUM INTO $1").bind(to.display().to_string());
    copying.execute(&mut connection).await?;
    connection.close().await
}

fn has_begun(to: &Path, copying: &JoinHandle<Result<(), sqlx::Error>>) -> bool {
    copying.is_finished() || to.metadata().is_ok_and(|file| file.len() > 0)
}
