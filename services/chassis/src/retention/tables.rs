//! Rows whose time is over. Which tables have any, and what tells their age, follows from the data map.

use std::time::Duration;

use data_map::{AGES, Age, Aged, EndedBy, Retention, Table, aged_in};
use serde::{Deserialize, Serialize};

use super::{life_of, sweep_every};
use crate::bus::Bus;
use crate::clock::micros;
use crate::database::{Database, DatabaseError};
use crate::lifecycle::Lifecycle;
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};
use crate::sql;

/// How often to look for rows that are due, at the least.
const POLL: Duration = Duration::from_mins(1);

/// Since when is the oldest row of each table there? Answered by every service with a database.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Oldest {}

/// The oldest row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldestRow {
    /// The table.
    pub table: String,
    /// Since when it is there, in microseconds since 1970; none in an empty table.
    pub since: Option<i64>,
}

impl CommonQuestion for Oldest {
    const NAME: &'static str = "oldest";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = Vec<OldestRow>;
}

/// The table of what every service with a database answers about its rows' ages.
pub(crate) fn answers(database: &Database) -> BoundAnswers {
    Answers::new()
        .on_common(database.service(), oldest)
        .with_state(database.clone())
}

async fn oldest(database: Database, _: Oldest) -> Result<Vec<OldestRow>, Refusal> {
    let mut session = database.read().await?;
    let mut rows = Vec::new();
    for (aged, table) in aged_in(database.service()) {
        let (column, added) = match (aged.age, table.retention) {
            (Age::Since(column), _) => (column, 0),
            (Age::Until(column), Retention::For(life)) => (column, micros(life)),
            (Age::Until(_) | Age::With { .. }, _) => continue,
        };
        let text = format!("SELECT MIN(\"{column}\") FROM \"{}\"", table.name);
        let first: Option<i64> =
            sql!(session, c => sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(c).await)
                .map_err(DatabaseError::from)?;
        rows.push(OldestRow {
            table: table.name.to_owned(),
            since: first.map(|first| first - added),
        });
    }
    Ok(rows)
}

/// Deletes rows whose time is over, until the stop.
pub(crate) async fn keep_swept(
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    loop {
        let mut pause = POLL;
        for (aged, table) in aged_in(database.service()) {
            if aged.ended_by != EndedBy::Sweeper {
                continue;
            }
            match sweep(&database, &bus, (aged, table)).await {
                Ok(again) => pause = pause.min(again),
                Err(error) => {
                    let (table, error) = (table.name, format!("{error:#}"));
                    tracing::warn!(table, error, "old rows wait to be deleted");
                }
            }
        }
        if !lifecycle.pause(pause).await {
            return Ok(());
        }
    }
}

/// Deletes what is due in a table. Says when to look again.
async fn sweep(
    database: &Database,
    bus: &Bus,
    (aged, table): (&Aged, &Table),
) -> anyhow::Result<Duration> {
    let life = match table.retention {
        Retention::For(life) => Some(life),
        Retention::Stream(stream) if bus.is_connected() => life_of(bus, stream.name).await?,
        _ => None,
    };
    let (Some(life), Some(text)) = (life, delete(aged)) else {
        return Ok(POLL);
    };
    let now = database.clock.micros();
    let before = match aged.age {
        Age::Until(_) => now,
        Age::Since(_) | Age::With { .. } => now - micros(life),
    };
    let mut work = database.begin().await?;
    let rows = sql!(work, c => sqlx::query(sqlx::AssertSqlSafe(text)).bind(before).execute(c).await.map(|done| done.rows_affected()))?;
    if rows > 0 {
        work.deletes_for_good();
        metrics::counter!("dipper_retention_rows_total", "table" => table.name).increment(rows);
    }
    work.commit().await?;
    Ok(sweep_every(life))
}

/// The statement that deletes rows of before `$1`: made from the data map, whose words are ours.
fn delete(aged: &Aged) -> Option<String> {
    let own = aged.table;
    match aged.age {
        Age::Since(column) | Age::Until(column) => {
            Some(format!("DELETE FROM \"{own}\" WHERE \"{column}\" < $1"))
        }
        Age::With { column, table, key } => {
            let other = AGES
                .iter()
                .find(|other| (other.service, other.table) == (aged.service, table))?;
            let Age::Since(since) = other.age else {
                return None;
            };
            Some(format!(
                "DELETE FROM \"{own}\" WHERE \"{column}\" IN
                 (SELECT \"{key}\" FROM \"{table}\" WHERE \"{since}\" < $1)"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_swept_table_has_a_statement() {
        for aged in AGES {
            let text = delete(aged).unwrap();
            assert!(
                text.starts_with(&format!("DELETE FROM \"{}\"", aged.table)),
                "{text}"
            );
            assert!(text.contains("< $1"), "{text}");
        }
    }
}
