//! How far the tables of a service are beside what this program knows; looked at only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::pools::Place;
use super::{DELIVERY, DatabaseError, DatabaseUrl, current_generation};

const TABLE: &str = "_sqlx_migrations";

/// How the migrations of a service's database differ from those of this program, by their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Known here and not applied: the next start applies them.
    pub missing: Vec<i64>,
    /// Applied and not known here: by a newer program.
    pub unknown: Vec<i64>,
    /// Broken off, or other than those that are known here.
    pub damaged: Vec<i64>,
}

/// A row of the history that the driver keeps.
type Applied = (i64, bool, Vec<u8>);

/// Looks at the history of a service's migrations. None while its database is not there.
pub async fn look(
    url: &DatabaseUrl,
    service: &str,
    own: &Migrator,
) -> Result<Option<Schema>, DatabaseError> {
    let applied = match url.place(service, current_generation(url, service)?) {
        Place::Sqlite(file) => applied_in_file(&file).await?,
        Place::Postgres { address, schema } => applied_in_schema(&address, &schema).await?,
    };
    let known = DELIVERY.iter().chain(own.iter());
    let known = known.map(|one| (one.version, one.checksum.to_vec()));
    let known = known.collect();
    Ok(applied.map(|applied| compare(&known, applied)))
}

/// What the server's clock says. None for SQLite, which has no other than ours.
pub async fn server_time(url: &DatabaseUrl) -> Result<Option<DateTime<Utc>>, DatabaseError> {
    let DatabaseUrl::Postgres(address) = url else {
        return Ok(None);
    };
    let mut connection = connect(address).await?;
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let micros: i64 = sqlx::query_scalar(now).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(DateTime::from_timestamp_micros(micros))
}

async fn applied_in_file(file: &Path) -> Result<Option<Vec<Applied>>, DatabaseError> {
    if !file.exists() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let made = "SELECT count(*) FROM sqlite_master WHERE name = $1";
    let tables: i64 = sqlx::query_scalar(made)
        .bind(TABLE)
        .fetch_one(&mut connection)
        .await?;
    let mut applied = Vec::new();
    if tables > 0 {
        let history = format!("SELECT version, success, checksum FROM {TABLE}");
        let asked = sqlx::query_as(AssertSqlSafe(history));
        applied = asked.fetch_all(&mut connection).await?;
    }
    connection.close().await?;
    Ok(Some(applied))
}

async fn applied_in_schema(
    address: &str,
    schema: &str,
) -> Result<Option<Vec<Applied>>, DatabaseError> {
    let mut connection = connect(address).await?;
    let made = "SELECT to_regclass($1) IS NOT NULL";
    let is_there: bool = sqlx::query_scalar(made)
        .bind(format!("{schema}.{TABLE}"))
        .fetch_one(&mut connection)
        .await?;
    let mut applied = None;
    if is_there {
        // The schema's name is one of our services' names.
        let history = format!("SELECT version, success, checksum FROM {schema}.{TABLE}");
        let asked = sqlx::query_as(AssertSqlSafe(history));
        applied = Some(asked.fetch_all(&mut connection).await?);
    }
    connection.close().await?;
    Ok(applied)
}

async fn connect(address: &str) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::from_str(address)?.application_name("dipper doctor");
    PgConnection::connect_with(&options).await
}

fn compare(known: &BTreeMap<i64, Vec<u8>>, applied: Vec<Applied>) -> Schema {
    let mut schema = Schema::default();
    let mut missing: BTreeSet<i64> = known.keys().copied().collect();
    for (version, has_succeeded, checksum) in applied {
        missing.remove(&version);
        match known.get(&version) {
            None => schema.unknown.push(version),
            Some(own) if !has_succeeded || *own != checksum => schema.damaged.push(version),
            Some(_) => {}
        }
    }
    schema.missing = missing.into_iter().collect();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_missing_unknown_or_damaged() {
        let known = BTreeMap::from([(1, vec![1]), (2, vec![2]), (3, vec![3]), (4, vec![4])]);
        let applied = vec![
            (1, true, vec![1]),
            (2, true, vec![9]),
            (3, false, vec![3]),
            (5, true, vec![5]),
        ];
        let expected = Schema {
            missing: vec![4],
            unknown: vec![5],
            damaged: vec![2, 3],
        };
        assert_eq!(compare(&known, applied), expected);
    }
}
