//! PostgreSQL leaves what was deleted in its files: in pages of tables and indexes, in its write-ahead log, in
//! statistics. After an erasure the tables that hold personal data are written anew, and the log moves
//! on to new files. Of columns that lead to somebody no statistics are gathered. What a server must be set
//! to, and what our role must be allowed, [`obstacles()`] tells.
//!
//! `VACUUM FULL` keeps a table to itself: 0.4 to 0.9 s for 100,000 rows, 2.3 to 7.5 s for a million (measured with the
//! tables of images and of the subject index, on two busy cores). So erasures share it, it waits only a moment for a
//! table in use and lets others go first, and it pauses for many times as long as it took.

mod obstacles;
mod statistics;
mod write_ahead_log;

use std::time::Duration;

use anyhow::bail;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::Instant;

use crate::clock::{Clock, micros};
use crate::database::{Database, DatabaseError, Session};
use crate::lifecycle::Lifecycle;
use crate::unit_of_work::Deletes;

pub use obstacles::obstacles;
pub(crate) use statistics::gather_none;

/// Erasures that come within this time share a rewriting.
const GATHER: Duration = Duration::from_secs(15);
/// What went by its age is in nobody's way for so long.
const BY_AGE: Duration = Duration::from_hours(24);
const POLL: Duration = Duration::from_secs(5);
/// Tables are kept from others for at most one part in so many of the time.
const SHARE: u32 = 20;
/// The longest pause: what is deleted in it is still gone from the files within five minutes.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// While we wait for a table, everybody else does.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The server ends its own maintenance of a table for us when we have waited a second.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);
/// How long others may go first between two attempts.
const YIELD: Duration = Duration::from_millis(500);
/// How long to wait for those who may still see what was deleted.
const SEEN_FOR: Duration = Duration::from_mins(1);
const SEEN_POLL: Duration = Duration::from_millis(250);

const ASK: &str = "UPDATE scrub SET asked = asked + 1, due_at = LEAST(due_at, $1)";
const DUE: &str = "SELECT asked, due_at FROM scrub WHERE asked > done";
/// Another generation that took this one's place meanwhile counts for itself.
const DONE: &str = "UPDATE scrub SET done = GREATEST(done, $1),
    due_at = CASE WHEN asked > $1 THEN LEAST(due_at, $2) ELSE $3 END WHERE asked >= $1";
/// One process of a service at a time.
const ALONE: &str = "SELECT pg_try_advisory_lock(7462, hashtext(current_schema()))";
/// Whoever began before a transaction may still see what it deleted, and so keeps it there.
const SEEN: &str = "SELECT count(*) FROM (
        SELECT backend_xmin AS since FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT backend_xid FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts
    ) AS seeing WHERE since IS NOT NULL AND age(since) > age($1::text::xid)";
/// Also those of a generation that is being built.
const TABLES: &str = "SELECT schemaname::text, tablename::text FROM pg_tables
    WHERE schemaname IN (current_schema(), current_schema() || '_next') AND tablename = ANY($1)
    ORDER BY schemaname, tablename";

/// Notes that something was deleted for good, in the transaction that does it.
pub(crate) async fn ask(
    session: &mut Session,
    clock: &Clock,
    deletes: Deletes,
) -> Result<(), DatabaseError> {
    let Session::Postgres(transaction) = session else {
        return Ok(());
    };
    let within = match deletes {
        Deletes::Somebody => GATHER,
        Deletes::ByAge => BY_AGE,
    };
    let due = clock.micros() + micros(within);
    sqlx::query(ASK)
        .bind(due)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Sees to what was deleted, until the stop.
pub(crate) async fn keep(
    database: Database,
    pool: PgPool,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let mut scrubber = Scrubber {
        database,
        pool,
        rewritten: None,
    };
    let mut pause = POLL;
    while lifecycle.pause(pause).await {
        let began = Instant::now();
        let round = tokio::select! {
            round = scrubber.round() => round,
            () = lifecycle.stopped() => break,
        };
        pause = (began.elapsed() * SHARE).clamp(POLL, LONGEST_PAUSE);
        if let Err(error) = round {
            let (service, error) = (scrubber.database.service(), format!("{error:#}"));
            tracing::warn!(
                service,
                error,
                "deleted rows are still in PostgreSQL's files; trying again"
            );
            pause = POLL;
        }
    }
    Ok(())
}

struct Scrubber {
    database: Database,
    pool: PgPool,
    /// The deletions whose tables are written anew, and where the log was then.
    rewritten: Option<(i64, String)>,
}

impl Scrubber {
    async fn round(&mut self) -> anyhow::Result<()> {
        obstacles::gauge(&self.pool, self.database.service()).await?;
        let now = self.database.clock.micros();
        let waiting: Option<(i64, i64)> = sqlx::query_as(DUE)
            .fetch_optional(&self.pool)
            .await
            .map_err(DatabaseError::from)?;
        let late = waiting.map_or(0, |(_, due)| now.saturating_sub(due).max(0));
        self.tell_lateness(late);
        let Some((asked, _)) = waiting.filter(|(_, due)| *due <= now) else {
            return Ok(());
        };
        let mut own = connect(&self.pool).await?;
        let is_alone: bool = scalar(&mut own, ALONE).await?;
        if is_alone {
            self.scrub(&mut own, asked).await?;
            self.tell_lateness(0);
        }
        own.close().await.map_err(DatabaseError::from)?;
        Ok(())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "no number of microseconds comes near 2^52"
    )]
    fn tell_lateness(&self, micros: i64) {
        let gauge =
            metrics::gauge!("dipper_scrub_late_seconds", "service" => self.database.service());
        gauge.set(micros as f64 / 1e6);
    }

    async fn scrub(&mut self, own: &mut PgConnection, asked: i64) -> anyhow::Result<()> {
        let known = self.rewritten.take().filter(|(upto, _)| *upto == asked);
        let (_, log_end) = if let Some(known) = known {
            known
        } else {
            nobody_sees(own).await?;
            for table in tables(own, self.database.service()).await? {
                rewrite(own, &table).await?;
            }
            let end: String = scalar(own, "SELECT pg_current_wal_insert_lsn()::text").await?;
            (asked, end)
        };
        let (_, log_end) = self.rewritten.insert((asked, log_end));
        write_ahead_log::move_on(own, log_end).await?;
        self.done(asked).await
    }

    async fn done(&self, asked: i64) -> anyhow::Result<()> {
        let soon = self.database.clock.micros() + micros(GATHER);
        sqlx::query(DONE)
            .bind(asked)
            .bind(soon)
            .bind(i64::MAX)
            .execute(&self.pool)
            .await
            .map_err(DatabaseError::from)?;
        metrics::counter!("dipper_scrubs_total", "service" => self.database.service()).increment(1);
        Ok(())
    }
}

/// A connection of its own, not one of those that requests need.
async fn connect(pool: &PgPool) -> Result<PgConnection, DatabaseError> {
    let options = PgConnectOptions::clone(&pool.connect_options());
    // It is expected to be slow.
    let options = options.disable_statement_logging();
    Ok(PgConnection::connect_with(&options).await?)
}

async fn scalar<T>(connection: &mut PgConnection, text: &'static str) -> Result<T, DatabaseError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    Ok(sqlx::query_scalar(text).fetch_one(connection).await?)
}

/// Waits until nobody can see any more what was deleted by now: it would be written anew as well.
async fn nobody_sees(own: &mut PgConnection) -> anyhow::Result<()> {
    let now: String = scalar(own, "SELECT pg_current_xact_id()::xid::text").await?;
    let began = Instant::now();
    loop {
        let seeing: i64 = sqlx::query_scalar(SEEN)
            .bind(&now)
            .fetch_one(&mut *own)
            .await
            .map_err(DatabaseError::from)?;
        if seeing == 0 {
            return Ok(());
        }
        if began.elapsed() > SEEN_FOR {
            bail!(
                "{seeing} transactions, prepared ones or replication slots can still see them after {} s; \
                 look for old ones in pg_stat_activity, pg_prepared_xacts and pg_replication_slots",
                SEEN_FOR.as_secs()
            );
        }
        tokio::time::sleep(SEEN_POLL).await;
    }
}

/// The tables with personal data, those that only lead to somebody included.
async fn tables(own: &mut PgConnection, service: &str) -> Result<Vec<String>, DatabaseError> {
    let personal: Vec<&str> = data_map::tables_of(service)
        .filter(|table| !table.is_technical())
        .map(|table| table.name)
        .collect();
    let found: Vec<(String, String)> = sqlx::query_as(TABLES)
        .bind(&personal)
        .fetch_all(own)
        .await?;
    let quoted = found
        .into_iter()
        .map(|(schema, table)| format!("\"{schema}\".\"{table}\""));
    Ok(quoted.collect())
}

/// Writes a table and its indexes into new files; the old ones are emptied and removed.
async fn rewrite(own: &mut PgConnection, table: &str) -> Result<(), DatabaseError> {
    let mut wait = FIRST_WAIT;
    loop {
        execute(own, format!("SET lock_timeout = {}", wait.as_millis())).await?;
        match execute(own, format!("VACUUM FULL {table}")).await {
            Err(error) if error.is_code("55P03") => {}
            outcome => return outcome,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
        tokio::time::sleep(YIELD).await;
    }
}

/// Runs a statement of our own making.
async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), DatabaseError> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}
