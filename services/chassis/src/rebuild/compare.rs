//! Whether two generations hold the same: each table's rows are counted and their digests summed up,
//! so that the order of the rows does not matter.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use super::TableCompared;
use crate::database::{Beside, DatabaseError, Dialect, Session, Sql};
use crate::sql;
use crate::unit_of_work::Work;

/// The chassis' own tables: how events came in and go out, and who works. What is parked is compared
/// with the service's tables.
const NOT_COMPARED: [&str; 10] = [
    "_sqlx_migrations",
    "outbox",
    "inbox",
    "digest",
    "repair",
    "erased",
    "progress",
    "lease",
    "rebuild",
    "scrub",
];
/// Of parked events only which they are: how often each was tried differs.
const PARKED: &str = "consumer, stream, incarnation, sequence";

const TABLES: Sql = Sql {
    sqlite: "SELECT name FROM sqlite_master
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND $1 = $1 ORDER BY name",
    postgres: "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY tablename",
};
const COLUMNS: Sql = Sql {
    sqlite: "SELECT name FROM pragma_table_info($2) WHERE $1 = $1 ORDER BY cid",
    postgres: "SELECT column_name::text FROM information_schema.columns
               WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
};

/// What is known of a table's rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    digest: u128,
}

impl Sum {
    fn add(&mut self, row: &str) {
        let digest = Sha256::digest(row.as_bytes());
        let half = digest.iter().take(16);
        let number = half.fold(0, |number: u128, byte| (number << 8) | u128::from(*byte));
        self.rows += 1;
        self.digest = self.digest.wrapping_add(number);
    }
}

/// The tables that are compared.
pub(super) async fn tables(work: &mut Work, beside: &Beside) -> Result<Vec<String>, DatabaseError> {
    let text = TABLES.text(work.dialect());
    let all: Vec<String> =
        sql!(work, c => sqlx::query_scalar(text).bind(&beside.own).fetch_all(c).await)?;
    let compared = all
        .into_iter()
        .filter(|table| !NOT_COMPARED.contains(&table.as_str()));
    Ok(compared.collect())
}

/// Compares a table.
pub(super) async fn compare(
    work: &mut Work,
    beside: &Beside,
    table: &str,
) -> Result<TableCompared, DatabaseError> {
    let (live, own) = (
        format!("{}.{table}", beside.live),
        format!("{}.{table}", beside.own),
    );
    let columns = columns(work, beside, table).await?;
    let text = row_text(work.dialect(), &columns);
    let there = sum(work, format!("SELECT {text} FROM {live} AS r")).await?;
    let here = sum(work, format!("SELECT {text} FROM {own} AS r")).await?;
    let (mut only_live, mut only_built) = (0, 0);
    if there != here {
        let columns = columns.join(", ");
        only_live = count_only(work, &columns, (&live, &own)).await?;
        only_built = count_only(work, &columns, (&own, &live)).await?;
    }
    Ok(TableCompared {
        table: table.to_owned(),
        live_rows: there.rows,
        built_rows: here.rows,
        only_live,
        only_built,
    })
}

async fn columns(
    work: &mut Work,
    beside: &Beside,
    table: &str,
) -> Result<Vec<String>, DatabaseError> {
    if table == "parked" {
        return Ok(PARKED.split(", ").map(str::to_owned).collect());
    }
    let text = COLUMNS.text(work.dialect());
    Ok(sql!(work, c => sqlx::query_scalar(text).bind(&beside.own).bind(table).fetch_all(c).await)?)
}

/// A row as one text that tells values and kinds apart.
fn row_text(dialect: Dialect, columns: &[String]) -> String {
    let join = |text: &str, between: &str| {
        let parts: Vec<String> = columns
            .iter()
            .map(|column| text.replace('?', column))
            .collect();
        parts.join(between)
    };
    match dialect {
        Dialect::Sqlite => join("quote(\"?\")", " || ',' || "),
        Dialect::Postgres => format!("ROW({})::text", join("\"?\"", ", ")),
    }
}

async fn sum(session: &mut Session, text: String) -> Result<Sum, DatabaseError> {
    let text = AssertSqlSafe(text);
    Ok(sql!(session, c => {
        let mut sum = Sum::default();
        let mut rows = sqlx::query_scalar::<_, String>(text).fetch(c);
        while let Some(row) = rows.try_next().await? {
            sum.add(&row);
        }
        sum
    }))
}

/// How many different rows are in the first table only.
async fn count_only(
    session: &mut Session,
    columns: &str,
    (first, second): (&str, &str),
) -> Result<u64, DatabaseError> {
    let text = AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM (SELECT {columns} FROM {first} EXCEPT SELECT {columns} FROM {second}) AS rest"
    ));
    let count: i64 = sql!(session, c => sqlx::query_scalar(text).fetch_one(c).await)?;
    Ok(count.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use sqlx::migrate::Migrator;

    use super::*;
    use crate::clock::Clock;
    use crate::database::{Database, DatabaseUrl};
    use crate::keys::Keys;

    #[tokio::test]
    async fn of_the_tables_that_every_service_has_only_what_is_parked_is_compared() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().to_owned());
        let keys = Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap();
        let (none, fence) = (Migrator::DEFAULT, keys.purpose("fence"));
        let live = Database::open(&url, "statistics", &none, Clock::default(), fence);
        let live = live.await.unwrap();
        let beside = live.open_beside().await.unwrap();
        let mut work = beside.begin().await.unwrap();
        assert_eq!(tables(&mut work, &beside).await.unwrap(), ["parked"]);
        let parked = compare(&mut work, &beside, "parked").await.unwrap();
        assert!(parked.is_equal(), "{parked:?}");
    }

    #[test]
    fn a_sum_is_of_rows_in_any_order() {
        let of = |rows: &[&str]| {
            let mut sum = Sum::default();
            for row in rows {
                sum.add(row);
            }
            sum
        };
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&["a", "a"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "a"]), of(&["a"]));
    }
}
