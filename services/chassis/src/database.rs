//! SQLite or PostgreSQL behind one session type. SQL texts are shared; see [`sql!`](crate::sql).

mod error;

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use tokio::sync::{Notify, watch};

use crate::bus::old_readers::OldReaders;
use crate::clock::Clock;
use crate::keys::{PurposeKey, create_private_folder};
use crate::unit_of_work::Work;

pub use error::DatabaseError;
use error::describe;

static DELIVERY: Migrator = sqlx::migrate!("./migrations");

/// Where a deployment keeps its databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// One file per service in a folder.
    Sqlite(PathBuf),
    /// One schema per service in a database.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    /// `sqlite:FOLDER` or `postgres://...`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("sqlite: needs a folder, e.g. sqlite:./dipper-data/db".to_owned());
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            PgConnectOptions::from_str(text)
                .map_err(|_| "this is no PostgreSQL address".to_owned())?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err("a database address begins with sqlite: or postgres:".to_owned())
    }
}

/// Which of the two databases a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A statement that must differ between the two.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl Sql {
    /// The text for this dialect.
    pub fn text(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// A service's own database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    pub(crate) clock: Clock,
    pub(crate) fence_key: PurposeKey,
    pub(crate) outbox_filled: Arc<Notify>,
    pub(crate) deleted_for_good: Arc<Notify>,
    parked: Arc<watch::Sender<u64>>,
    pub(crate) old_readers: OldReaders,
    service: &'static str,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// A connection that reads, or the transaction of a [`Work`].
#[derive(Debug)]
pub enum Session {
    /// SQLite, reading.
    SqliteRead(PoolConnection<Sqlite>),
    /// SQLite, in a transaction.
    Sqlite(Transaction<'static, Sqlite>),
    /// PostgreSQL, reading.
    PostgresRead(PoolConnection<Postgres>),
    /// PostgreSQL, in a transaction.
    Postgres(Transaction<'static, Postgres>),
}

/// The driver's own connection of a [`Session`].
#[derive(Debug)]
pub enum Connection<'c> {
    /// SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
}

impl Session {
    /// The driver's own connection, for [`sql!`](crate::sql).
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::SqliteRead(connection) => Connection::Sqlite(connection),
            Self::Sqlite(transaction) => Connection::Sqlite(transaction),
            Self::PostgresRead(connection) => Connection::Postgres(connection),
            Self::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }

    /// Runs a statement whose one argument is a list of rows as JSON: many rows cost little more
    /// than one.
    pub async fn write_rows(
        &mut self,
        statement: Sql,
        rows: serde_json::Value,
    ) -> Result<(), DatabaseError> {
        let (text, rows) = (statement.text(self.dialect()), rows.to_string());
        crate::sql!(self, c => sqlx::query(text).bind(&rows).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Which of the two this is.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::SqliteRead(_) | Self::Sqlite(_) => Dialect::Sqlite,
            Self::PostgresRead(_) | Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// Runs one expression against whichever driver the session has: the text and the Rust are
/// written once and type-checked for both.
///
/// ```ignore
/// sql!(session, c => sqlx::query_scalar("SELECT owner FROM image WHERE id = $1").bind(id).fetch_optional(c).await)
/// ```
#[macro_export]
macro_rules! sql {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session.connection() {
            $crate::database::Connection::Sqlite($connection) => $body,
            $crate::database::Connection::Postgres($connection) => $body,
        }
    };
}

impl Database {
    /// Opens a service's database and brings its tables up to date.
    pub async fn open(
        url: &DatabaseUrl,
        service: &'static str,
        migrations: &Migrator,
        clock: Clock,
        fence_key: PurposeKey,
    ) -> Result<Self, DatabaseError> {
        let pools = match url {
            DatabaseUrl::Sqlite(folder) => open_sqlite(folder, service).await?,
            DatabaseUrl::Postgres(address) => open_postgres(address, service).await?,
        };
        for tables in [&DELIVERY, migrations] {
            // Both sets share one history table; each finds the other's entries there.
            let mut tables = Migrator {
                migrations: tables.migrations.clone(),
                ..Migrator::DEFAULT
            };
            tables.set_ignore_missing(true);
            match &pools {
                Pools::Sqlite { write, .. } => {
                    // Unlike PostgreSQL's, SQLite's driver does not keep two migrations apart.
                    let mut alone = write.begin_with("BEGIN IMMEDIATE").await?;
                    tables.run(&mut *alone).await?;
                    alone.commit().await?;
                }
                Pools::Postgres(pool) => tables.run(pool).await?,
            }
        }
        let database = Self {
            pools,
            clock,
            fence_key,
            outbox_filled: Arc::default(),
            deleted_for_good: Arc::default(),
            parked: Arc::default(),
            old_readers: OldReaders::default(),
            service,
        };
        let last = crate::outbox::last_position(&mut database.read().await?).await?;
        database.clock.continue_after(last);
        Ok(database)
    }

    /// Says who is known to read old majors of what is published here.
    pub fn with_old_readers(mut self, readers: OldReaders) -> Self {
        self.old_readers = readers;
        self
    }

    /// The service that owns it.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Lets the workers of this process look at what is parked.
    pub(crate) fn look_at_parked(&self) {
        self.parked.send_modify(|changes| *changes += 1);
    }

    /// Changes when the workers are to look at what is parked.
    pub(crate) fn parked_changes(&self) -> watch::Receiver<u64> {
        self.parked.subscribe()
    }

    /// A connection to read with. On SQLite it refuses to write.
    pub async fn read(&self) -> Result<Session, DatabaseError> {
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => Session::SqliteRead(read.acquire().await?),
            Pools::Postgres(pool) => Session::PostgresRead(pool.acquire().await?),
        })
    }

    /// Begins a change; nothing of it stays unless it is committed.
    pub async fn begin(&self) -> Result<Work, DatabaseError> {
        let session = match &self.pools {
            Pools::Sqlite { write, .. } => {
                Session::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pools::Postgres(pool) => Session::Postgres(pool.begin().await?),
        };
        Ok(Work::new(session, self.clone()))
    }

    /// Makes deleted rows unreadable in the files: moves the write-ahead log into the database,
    /// whose freed space SQLite has already overwritten (`secure_delete`), and empties it. False
    /// when a reader was in the way; then it must be done again. PostgreSQL holds personal fields
    /// only sealed, so there is nothing to do.
    pub async fn scrub(&self) -> Result<bool, DatabaseError> {
        let Pools::Sqlite { write, .. } = &self.pools else {
            return Ok(true);
        };
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(write)
            .await?;
        Ok(busy == 0)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// A folder holds one file per service; a path that ends in `.db` names the files' common stem.
fn sqlite_file(place: &Path, service: &str) -> PathBuf {
    if place.extension().is_some_and(|ending| ending == "db") {
        let stem = place.file_stem().unwrap_or_default().to_string_lossy();
        return place.with_file_name(format!("{stem}.{service}.db"));
    }
    place.join(format!("{service}.db"))
}

async fn open_sqlite(place: &Path, service: &str) -> Result<Pools, DatabaseError> {
    let file = sqlite_file(place, service);
    let unreachable = |why: String| DatabaseError::Unreachable {
        place: file.display().to_string(),
        why,
    };
    if let Some(folder) = file.parent() {
        create_private_folder(folder).map_err(|error| unreachable(format!("{error:#}")))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An answer of 201 promises that the change survives a power failure.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .optimize_on_close(true, None)
        .statement_cache_capacity(256)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        // Pages of 4 KiB: moving the log into the database often costs more than a longer log.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864");
    // One writer: inside a process nobody waits for a lock that a statement later fails on.
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        // On the writer only: setting it takes the write lock, which would make readers wait.
        .connect_with(
            options
                .clone()
                .auto_vacuum(SqliteAutoVacuum::Incremental)
                // KiB, taken when needed: what a large batch changes stays in memory until its commit.
                .pragma("cache_size", "-32768"),
        )
        .await
        .map_err(|error| unreachable(describe(&error)))?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { read, write })
}

async fn open_postgres(address: &str, service: &str) -> Result<Pools, DatabaseError> {
    let schema = service.replace('-', "_");
    let options = PgConnectOptions::from_str(address)?
        .application_name(&format!("dipper {service}"))
        .options([("search_path", schema.as_str())]);
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

    #[test]
    fn an_address_is_sqlite_or_postgres_and_nothing_else() {
        assert_eq!(
            "sqlite:./data/db".parse(),
            Ok(DatabaseUrl::Sqlite(PathBuf::from("./data/db")))
        );
        assert_eq!(
            "sqlite:///var/db".parse(),
            Ok(DatabaseUrl::Sqlite(PathBuf::from("/var/db")))
        );
        assert!(
            "postgres://me@localhost/dipper"
                .parse::<DatabaseUrl>()
                .is_ok()
        );
        assert!("mysql://me@localhost".parse::<DatabaseUrl>().is_err());
        assert!("sqlite:".parse::<DatabaseUrl>().is_err());
    }

    #[test]
    fn each_service_has_its_own_file() {
        assert_eq!(
            sqlite_file(Path::new("/d"), "tick-api"),
            Path::new("/d/tick-api.db")
        );
        assert_eq!(
            sqlite_file(Path::new("/d/x.db"), "tick-api"),
            Path::new("/d/x.tick-api.db")
        );
    }
}
