//! Connections to where one generation of a service's database lies.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::error::describe;
use super::{DatabaseError, DatabaseUrl, Session};
use crate::keys::create_private_folder;

/// For so long it is waited for what another process has locked.
const LOCKED_FOR: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Where one generation of a service's database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A schema of a database.
    Postgres { address: String, schema: String },
}

/// Open connections; cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// The disk has the change: a power failure does not take it.
    Now,
    /// Nothing. It reaches the disk with the next change that waits, or goes with it.
    WithTheNext,
}

impl Flush {
    pub(super) fn begin_sqlite(self) -> &'static str {
        match self {
            Self::Now => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            Self::WithTheNext => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
        }
    }

    fn begin_postgres(self) -> &'static str {
        match self {
            Self::Now => "BEGIN",
            Self::WithTheNext => "BEGIN; SET LOCAL synchronous_commit TO OFF",
        }
    }
}

/// The schema of a service; beside another generation, the name that SQLite knows its file by.
pub(super) fn schema_of(service: &str) -> String {
    service.replace('-', "_")
}

impl DatabaseUrl {
    /// Where a service's database lies. Of SQLite files there may be several generations; the first
    /// has no number.
    pub(super) fn place(&self, service: &str, generation: u64) -> Place {
        match self {
            Self::Sqlite(place) => {
                let (folder, stem) = sqlite_stem(place, service);
                let name = match generation {
                    0 => format!("{stem}.db"),
                    number => format!("{stem}.{number}.db"),
                };
                Place::Sqlite(folder.join(name))
            }
            Self::Postgres(address) => Place::Postgres {
                address: address.clone(),
                schema: schema_of(service),
            },
        }
    }
}

/// A folder holds a service's files; a path that ends in `.db` names the files' common stem.
pub(super) fn sqlite_stem(place: &Path, service: &str) -> (PathBuf, String) {
    if place.extension().is_some_and(|ending| ending == "db") {
        let stem = place.file_stem().unwrap_or_default().to_string_lossy();
        let folder = place.parent().unwrap_or(Path::new("")).to_owned();
        return (folder, format!("{stem}.{service}"));
    }
    (place.to_owned(), service.to_owned())
}

impl Place {
    /// Opens it, and makes it if it is not there.
    pub(super) async fn open(&self, service: &str) -> Result<Pools, DatabaseError> {
        match self {
            Self::Sqlite(file) => open_sqlite(file).await,
            Self::Postgres { address, schema } => open_postgres(address, service, schema).await,
        }
    }
}

impl Pools {
    pub(super) async fn read(&self) -> Result<Session, sqlx::Error> {
        Ok(match self {
            Self::Sqlite { read, .. } => Session::SqliteRead(read.acquire().await?),
            Self::Postgres(pool) => Session::PostgresRead(pool.acquire().await?),
        })
    }

    pub(super) async fn begin(&self, flush: Flush) -> Result<Session, sqlx::Error> {
        Ok(match self {
            Self::Sqlite { write, .. } => {
                Session::Sqlite(write.begin_with(flush.begin_sqlite()).await?)
            }
            Self::Postgres(pool) => {
                Session::Postgres(pool.begin_with(flush.begin_postgres()).await?)
            }
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite { write, .. } => write.is_closed(),
            Self::Postgres(pool) => pool.is_closed(),
        }
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self, tables: &Migrator) -> Result<(), DatabaseError> {
        // Both sets share one history table; each finds the other's entries there.
        let mut tables = Migrator {
            migrations: tables.migrations.clone(),
            ..Migrator::DEFAULT
        };
        tables.set_ignore_missing(true);
        // `run` takes whatever gives a connection, and its future then is `Send` in no task.
        match self {
            Self::Sqlite { write, .. } => {
                // Unlike PostgreSQL's, SQLite's driver does not keep two migrations apart.
                let mut alone = write.begin_with("BEGIN IMMEDIATE").await?;
                tables.run_direct(None, &mut *alone, false).await?;
                alone.commit().await?;
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                tables.run_direct(None, &mut *connection, false).await?;
            }
        }
        Ok(())
    }

    /// Gives no more connections from this call on; what is answered ends when those in use have
    /// come back.
    pub(super) fn close(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Sqlite { read, write } => {
                let (reading, writing) = (read.close(), write.close());
                Box::pin(async {
                    reading.await;
                    writing.await;
                })
            }
            Self::Postgres(pool) => Box::pin(pool.close()),
        }
    }
}

fn sqlite_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An answer of 201 promises that the change survives a power failure.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCKED_FOR)
        .foreign_keys(true)
        .optimize_on_close(true, None)
        .statement_cache_capacity(256)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        // Pages of 4 KiB: moving the log into the database often costs more than a longer log.
        .pragma("wal_autocheckpoint", "16000")
        .pragma("journal_size_limit", "67108864")
}

fn unreachable(file: &Path, why: String) -> DatabaseError {
    DatabaseError::Unreachable {
        place: file.display().to_string(),
        why,
    }
}

async fn open_sqlite(file: &Path) -> Result<Pools, DatabaseError> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder).map_err(|error| unreachable(file, format!("{error:#}")))?;
    }
    let options = sqlite_options(file);
    let began = Instant::now();
    let write = loop {
        match open_writer(&options).await {
            // SQLite waits for no lock while it makes a file that another process makes at the same moment.
            Err(error) if is_locked(&error) && began.elapsed() < LOCKED_FOR => {
                tokio::time::sleep(ASK_AGAIN).await;
            }
            opened => break opened.map_err(|error| unreachable(file, describe(&error)))?,
        }
    };
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { read, write })
}

/// One writer: inside a process nobody waits for a lock that a statement later fails on.
async fn open_writer(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(1)
        // After a commit that failed, on a full disk say, SQLite has rolled back by itself and the
        // driver still counts a transaction: such a connection would refuse every other one.
        .before_acquire(|connection, _| {
            let is_usable = !connection.is_in_transaction();
            Box::pin(std::future::ready(Ok(is_usable)))
        })
        .acquire_timeout(Duration::from_secs(30))
        // On the writer only: setting it takes the write lock, which would make readers wait.
        .connect_with(
            options
                .clone()
                .auto_vacuum(SqliteAutoVacuum::Incremental)
                // KiB, taken when needed: what a large batch changes stays in memory until its commit.
                .pragma("cache_size", "-65536"),
        )
        .await
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "5")
}

/// A connection to one file that also sees another, under a name.
pub(super) async fn open_sqlite_pair(
    file: &Path,
    other: &Path,
    name: &str,
) -> Result<Pools, DatabaseError> {
    let attach = format!("ATTACH DATABASE $1 AS {name}");
    let other = other.display().to_string();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            let (attach, other) = (attach.clone(), other.clone());
            Box::pin(async move {
                let attach = sqlx::query(sqlx::AssertSqlSafe(attach)).bind(other);
                attach.execute(connection).await.map(drop)
            })
        })
        .connect_with(sqlite_options(file))
        .await
        .map_err(|error| unreachable(file, describe(&error)))?;
    Ok(Pools::Sqlite {
        read: pool.clone(),
        write: pool,
    })
}

async fn open_postgres(address: &str, service: &str, schema: &str) -> Result<Pools, DatabaseError> {
    let options = PgConnectOptions::from_str(address)?
        .application_name(&format!("dipper {service}"))
        .options([
            ("search_path", schema),
            // A process that is frozen amid a change, or cut off, holds up nobody for longer.
            ("idle_in_transaction_session_timeout", "15s"),
        ]);
    let place = format!("postgres://{}:{}", options.get_host(), options.get_port());
    let unreachable = |error: sqlx::Error| DatabaseError::Unreachable {
        place: place.clone(),
        why: format!(
            "{}; is it running, and does DIPPER_DATABASE_URL name it?",
            describe(&error)
        ),
    };
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .map_err(unreachable)?;
    // The schema's name is one of our services' names. Two processes may start at once: the
    // lock is held until the new schema is committed and seen by the other.
    let statement =
        format!("SELECT pg_advisory_xact_lock(7461); CREATE SCHEMA IF NOT EXISTS {schema};");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&pool)
        .await?;
    Ok(Pools::Postgres(pool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    #[tokio::test]
    async fn what_was_promised_waits_for_the_disk_whatever_was_noted_before() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(folder.path().join("tick-api.db"));
        let pools = place.open("tick-api").await.unwrap();
        // As SQLite numbers them: 1 flushes when the log is moved into the database, 2 at each commit.
        for (flush, expected) in [(Flush::Now, 2), (Flush::WithTheNext, 1), (Flush::Now, 2)] {
            let mut session = pools.begin(flush).await.unwrap();
            let level: i64 = sql!(session, c => sqlx::query_scalar("SELECT * FROM pragma_synchronous").fetch_one(c).await).unwrap();
            assert_eq!(level, expected);
        }
        pools.close().await;
    }

    #[test]
    fn each_service_has_its_own_files() {
        let place = |folder: &str, generation| {
            DatabaseUrl::Sqlite(PathBuf::from(folder)).place("tick-api", generation)
        };
        let file = |name: &str| Place::Sqlite(PathBuf::from(name));
        assert_eq!(place("/d", 0), file("/d/tick-api.db"));
        assert_eq!(place("/d/x.db", 0), file("/d/x.tick-api.db"));
        assert_eq!(place("/d", 3), file("/d/tick-api.3.db"));
    }
}
