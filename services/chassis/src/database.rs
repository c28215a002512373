//! SQLite or PostgreSQL behind one session type. SQL texts are shared; see [`sql!`](crate::sql).

mod error;
mod generations;
mod pools;
pub mod schema;
pub mod snapshot;
mod unused;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use sqlx::migrate::Migration;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use tokio::sync::{Notify, watch};

use crate::bus::old_readers::OldReaders;
use crate::clock::Clock;
use crate::keys::PurposeKey;
use crate::scrub::gather_none;
use crate::unit_of_work::Work;

pub use error::DatabaseError;
pub(crate) use generations::Beside;
use generations::current_generation;
use pools::{Flush, Pools};
pub use sqlx::migrate::Migrator;

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
    /// Of the live generation; another may take its place.
    pools: Arc<RwLock<Pools>>,
    origin: Arc<Origin>,
    pub(crate) clock: Clock,
    pub(crate) fence_key: PurposeKey,
    /// By it the inbox keeps what its events said.
    pub(crate) content_key: PurposeKey,
    pub(crate) outbox_filled: Arc<Notify>,
    pub(crate) deleted_for_good: Arc<Notify>,
    /// The unused parts of the file's pages are to be overwritten.
    pub(crate) leftovers: Arc<Notify>,
    pub(crate) rebuild_asked: Arc<Notify>,
    parked: Arc<watch::Sender<u64>>,
    pub(crate) old_readers: OldReaders,
    service: &'static str,
}

/// What a generation of a service's database is made from.
#[derive(Debug)]
struct Origin {
    url: DatabaseUrl,
    migrations: Cow<'static, [Migration]>,
}

impl Origin {
    async fn migrate(&self, pools: &Pools, service: &str) -> Result<(), DatabaseError> {
        pools.migrate(&DELIVERY).await?;
        let own = Migrator {
            migrations: self.migrations.clone(),
            ..Migrator::DEFAULT
        };
        pools.migrate(&own).await?;
        match pools {
            Pools::Postgres(pool) => gather_none(pool, service).await,
            Pools::Sqlite { .. } => Ok(()),
        }
    }
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
        rows: Vec<impl Serialize>,
    ) -> Result<(), DatabaseError> {
        let text = statement.text(self.dialect());
        let rows = json_text(&rows)?;
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

/// A list as the JSON text that a statement takes for its one argument.
pub fn json_text(list: &impl Serialize) -> Result<String, DatabaseError> {
    let text = serde_json::to_string(list).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(text)
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
        let place = url.place(service, current_generation(url, service)?);
        let pools = place.open(service).await?;
        let origin = Origin {
            url: url.clone(),
            migrations: migrations.migrations.clone(),
        };
        origin.migrate(&pools, service).await?;
        let database = Self {
            pools: Arc::new(RwLock::new(pools)),
            origin: Arc::new(origin),
            clock,
            content_key: fence_key.part("content"),
            fence_key,
            outbox_filled: Arc::default(),
            deleted_for_good: Arc::default(),
            leftovers: Arc::default(),
            rebuild_asked: Arc::default(),
            parked: Arc::default(),
            old_readers: OldReaders::default(),
            service,
        };
        let last = crate::outbox::last_position(&mut database.read().await?).await?;
        database.clock.continue_after(last);
        Ok(database)
    }

    /// The same service's, in another place; nobody who waits for changes here hears of those there.
    fn with_pools(&self, pools: Pools) -> Self {
        Self {
            pools: Arc::new(RwLock::new(pools)),
            outbox_filled: Arc::default(),
            deleted_for_good: Arc::default(),
            leftovers: Arc::default(),
            rebuild_asked: Arc::default(),
            parked: Arc::default(),
            ..self.clone()
        }
    }

    fn pools(&self) -> Pools {
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.clone()
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
        loop {
            match self.pools().read().await {
                Err(sqlx::Error::PoolClosed) if !self.is_closed() => {}
                session => return Ok(session?),
            }
        }
    }

    /// Begins a change; nothing of it stays unless it is committed.
    pub async fn begin(&self) -> Result<Work, DatabaseError> {
        self.begin_with(Flush::Now).await
    }

    /// Begins a change that nobody was promised and that is made once more if a power failure takes it, such as a note of
    /// what was done. Its commit waits for no disk.
    pub(crate) async fn begin_note(&self) -> Result<Work, DatabaseError> {
        self.begin_with(Flush::WithTheNext).await
    }

    async fn begin_with(&self, flush: Flush) -> Result<Work, DatabaseError> {
        loop {
            match self.pools().begin(flush).await {
                Err(sqlx::Error::PoolClosed) if !self.is_closed() => {}
                session => return Ok(Work::new(session?, self.clone())),
            }
        }
    }

    /// Whether it ended for good; otherwise connections that are closed belong to a generation
    /// whose place another has taken meanwhile.
    pub(crate) fn is_closed(&self) -> bool {
        self.pools().is_closed()
    }

    /// Makes deleted rows unreadable in the files: moves the write-ahead log into the database,
    /// whose freed space SQLite has already overwritten (`secure_delete`), and empties it. False
    /// when a reader was in the way; then it must be done again. On PostgreSQL there is nothing to do
    /// here: [`crate::scrub`] does it.
    pub async fn scrub(&self) -> Result<bool, DatabaseError> {
        let Pools::Sqlite { write, .. } = self.pools() else {
            return Ok(true);
        };
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&write)
            .await?;
        Ok(busy == 0)
    }

    /// Overwrites what deleted rows have left in a SQLite file, and says in how many of its pages: see
    /// [`crate::leftovers`]. It is gone from the disk when the log was emptied after that.
    pub(crate) async fn overwrite_leftovers(&self) -> Result<usize, DatabaseError> {
        match self.pools() {
            Pools::Sqlite { read, write } => unused::overwrite(&read, &write).await,
            Pools::Postgres(_) => Ok(0),
        }
    }

    /// The connections to PostgreSQL, if it is that.
    pub(crate) fn postgres(&self) -> Option<PgPool> {
        match self.pools() {
            Pools::Postgres(pool) => Some(pool),
            Pools::Sqlite { .. } => None,
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pools().close().await;
    }
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
}
