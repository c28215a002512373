//! Looks into the services' databases past the services.

use std::path::Path;

use anyhow::Context as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// A service's database.
#[derive(Debug)]
pub enum Tables {
    /// A file.
    Sqlite(SqliteConnection),
    /// A schema.
    Postgres(PgConnection),
}

/// Runs one expression against whichever driver it is.
macro_rules! on {
    ($tables:expr, $connection:ident => $body:expr) => {
        match $tables {
            Tables::Sqlite($connection) => $body,
            Tables::Postgres($connection) => $body,
        }
    };
}

/// A service that was built anew has another file.
fn live_file(folder: &Path, service: &str) -> String {
    match std::fs::read_to_string(folder.join(format!("{service}.current"))) {
        Ok(number) if number.trim() != "0" => format!("{service}.{}.db", number.trim()),
        _ => format!("{service}.db"),
    }
}

impl Tables {
    /// Opens the SQLite file of a service to read.
    pub async fn open(folder: &Path, service: &str) -> anyhow::Result<Self> {
        Self::sqlite(folder, service, true).await
    }

    /// Opens the SQLite file of a service to change it behind its back.
    pub async fn open_to_write(folder: &Path, service: &str) -> anyhow::Result<Self> {
        Self::sqlite(folder, service, false).await
    }

    async fn sqlite(folder: &Path, service: &str, read_only: bool) -> anyhow::Result<Self> {
        let file = folder.join(live_file(folder, service));
        let options = SqliteConnectOptions::new().filename(&file);
        let connection = options.read_only(read_only).connect().await;
        let connection = connection.with_context(|| format!("cannot open {}", file.display()))?;
        Ok(Self::Sqlite(connection))
    }

    /// Opens the schema of a service.
    pub async fn postgres(address: &str, service: &str) -> anyhow::Result<Self> {
        let schema = service.replace('-', "_");
        let options: PgConnectOptions = address.parse()?;
        let options = options.options([("search_path", schema.as_str())]);
        Ok(Self::Postgres(options.connect().await?))
    }

    /// The ids in the one column of a query, as often as they are there.
    pub async fn ids(&mut self, query: &str) -> anyhow::Result<Vec<Uuid>> {
        Ok(on!(self, c => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(c).await)?)
    }

    /// Pairs of ids.
    pub async fn pairs(&mut self, query: &str) -> anyhow::Result<Vec<(Uuid, Uuid)>> {
        Ok(on!(self, c => sqlx::query_as(AssertSqlSafe(query)).fetch_all(c).await)?)
    }

    /// Ids with a number each.
    pub async fn numbered(&mut self, query: &str) -> anyhow::Result<Vec<(Uuid, i64)>> {
        Ok(on!(self, c => sqlx::query_as(AssertSqlSafe(query)).fetch_all(c).await)?)
    }

    /// One number.
    pub async fn number(&mut self, query: &str) -> anyhow::Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(c).await)?)
    }

    /// Rows of one text.
    pub async fn texts(&mut self, query: &str) -> anyhow::Result<Vec<String>> {
        Ok(on!(self, c => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(c).await)?)
    }

    /// Runs statements.
    pub async fn execute(&mut self, statements: &str) -> anyhow::Result<()> {
        on!(self, c => sqlx::raw_sql(AssertSqlSafe(statements)).execute(c).await.map(drop))?;
        Ok(())
    }
}
