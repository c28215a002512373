//! What at a PostgreSQL server would keep deleted rows in its files.

use std::str::FromStr as _;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};

use super::scalar;
use super::write_ahead_log::MAY;
use crate::database::{DatabaseError, DatabaseUrl};

const RIGHTS: &str = "our role may not move the write-ahead log on. As a superuser run, with our role's name: \
    GRANT pg_checkpoint, pg_monitor TO dipper; GRANT EXECUTE ON FUNCTION pg_switch_wal() TO dipper (PostgreSQL 15 or later)";
const SETTINGS: &str = "SELECT complaint FROM (VALUES
    (current_setting('wal_recycle')::boolean,
     'old files of the write-ahead log are used again with what they hold. Set wal_recycle = off'),
    (pg_size_bytes(current_setting('wal_keep_size')) > 0,
     'old files of the write-ahead log are kept for standbys. Set wal_keep_size = 0'),
    (current_setting('archive_mode') <> 'off',
     'the write-ahead log is archived. Let the archive end like a backup, with a time of its own'),
    (current_setting('log_error_verbosity') <> 'terse',
     'the server''s log may quote ids in details of errors. Set log_error_verbosity = terse'),
    (current_setting('log_statement') <> 'none' OR current_setting('log_min_duration_statement') <> '-1'
        OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate') <> '0',
     'the server''s log quotes ids in statements. Set log_statement = none, log_min_duration_statement = -1, '
        || 'log_min_duration_sample = -1 and log_transaction_sample_rate = 0'),
    (current_setting('log_parameter_max_length_on_error') <> '0',
     'the server''s log quotes ids in errors. Set log_parameter_max_length_on_error = 0'),
    ((SELECT count(*) FROM pg_replication_slots) > 0,
     'replication slots keep old files of the write-ahead log while their readers are behind. Remove those that nobody reads')
    ) AS checked (is_so, complaint) WHERE is_so";

/// What would keep deleted rows readable in the files of the deployment's PostgreSQL server, and what to do about it.
/// None for SQLite.
pub async fn obstacles(url: &DatabaseUrl) -> Result<Vec<String>, DatabaseError> {
    let DatabaseUrl::Postgres(address) = url else {
        return Ok(Vec::new());
    };
    let options = PgConnectOptions::from_str(address)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let found = found(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

/// How many there are, as a gauge.
pub(super) async fn gauge(pool: &PgPool, service: &'static str) -> Result<(), DatabaseError> {
    let found = found(&mut *pool.acquire().await?).await?;
    let number = u8::try_from(found.len()).unwrap_or(u8::MAX);
    metrics::gauge!("dipper_scrub_obstacles", "service" => service).set(number);
    Ok(())
}

async fn found(connection: &mut PgConnection) -> Result<Vec<String>, DatabaseError> {
    let mut found: Vec<String> = sqlx::query_scalar(SETTINGS)
        .fetch_all(&mut *connection)
        .await?;
    if !scalar::<bool>(connection, MAY).await? {
        found.push(RIGHTS.to_owned());
    }
    Ok(found)
}
