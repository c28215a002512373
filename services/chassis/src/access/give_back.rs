//! The way back of what an export holds: a service takes rows of somebody who comes from another
//! instance. It is the mirror image of telling what it holds, and which tables it takes follows from
//! the data map, too. A page of rows is one transaction, and is taken once however often it comes.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::DateTime;
use data_map::{Import, Table, import_of};
use envelope::{EventId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::query::{self, Type, Types};
use super::{Holder, Row, personal_table};
use crate::database::{DatabaseError, Dialect, Sql, json_text};
use crate::ids::ids_in;
use crate::rpc::{CommonQuestion, Refusal};
use crate::sql;
use crate::unit_of_work::Work;

/// Under this name the inbox notes which pages were taken.
const PAGES: &str = "import";

const NOTE: Sql = Sql {
    sqlite: "INSERT INTO inbox (consumer, event_id, handled_at)
             SELECT $1, unhex(value), $3 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO inbox (consumer, event_id, handled_at)
               SELECT $1, value::uuid, $3 FROM jsonb_array_elements_text($2::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};

/// Take these rows of somebody who comes from another instance. Refused with `unknown-table` for a
/// table that takes no rows, `unknown-column`, `bad-value`, `erased` when they name somebody who was
/// erased here, and `taken` when an id in them is another row's.
#[derive(Clone, Serialize, Deserialize)]
pub struct GiveBack {
    /// Whose they are.
    pub user: UserId,
    /// The table, by its name in the data map.
    pub table: String,
    /// The page's id: what was taken under it is not taken again.
    pub page: Uuid,
    /// The rows, as an export tells them.
    pub rows: Vec<Row>,
}

impl CommonQuestion for GiveBack {
    const NAME: &'static str = "give-back";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// These events had their effects before: when they come they are passed over. Asked before they are
/// published.
#[derive(Clone, Serialize, Deserialize)]
pub struct PassOver {
    /// Which.
    pub events: Vec<EventId>,
}

impl CommonQuestion for PassOver {
    const NAME: &'static str = "pass-over";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// Puts into a row what an export leaves out, and seals what it had opened.
pub type Completer = Arc<dyn Fn(&'static str, &mut Row) -> Result<(), DatabaseError> + Send + Sync>;

/// For services whose rows are whole as they are exported.
pub(crate) fn nothing_lacks() -> Completer {
    Arc::new(|_, _| Ok(()))
}

impl Work {
    /// Whether this page of an import comes for the first time; from this commit on it does not.
    pub async fn is_new_page(&mut self, page: Uuid) -> Result<bool, DatabaseError> {
        Ok(note(self, PAGES, &[page]).await? > 0)
    }
}

/// Notes events or pages, and says how many were not noted yet.
async fn note(work: &mut Work, consumer: &str, ids: &[Uuid]) -> Result<u64, DatabaseError> {
    let ids: Vec<_> = ids.iter().map(Uuid::as_simple).collect();
    let (list, now) = (json_text(&ids)?, work.clock().micros());
    let text = NOTE.text(work.dialect());
    let noted = sql!(work, c => sqlx::query(text)
        .bind(consumer).bind(&list).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(noted)
}

pub(super) async fn pass_over(holder: Holder, question: PassOver) -> Result<(), Refusal> {
    let events: Vec<Uuid> = question.events.iter().map(|event| event.0).collect();
    let mut work = holder.database.begin().await?;
    note(&mut work, holder.database.service(), &events).await?;
    Ok(work.commit().await?)
}

pub(super) async fn give_back(holder: Holder, question: GiveBack) -> Result<(), Refusal> {
    let service = holder.database.service();
    let table = personal_table(service, &question.table)
        .filter(|table| matches!(import_of(table), Some(Import::Rows)))
        .ok_or_else(|| Refusal::new("unknown-table"))?;
    let mut work = holder.database.begin().await?;
    let named = ids_in(json_text(&question.rows)?.as_bytes());
    let named: HashSet<Uuid> = named.into_iter().chain([question.user.0]).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    if !work.erased_among(&named).await?.is_empty() {
        return Err(Refusal::new("erased"));
    }
    if !work.is_new_page(question.page).await? || question.rows.is_empty() {
        return Ok(());
    }
    let types = query::types(&mut work, table).await?;
    let rows = question.rows.into_iter();
    let rows: Vec<Row> = rows
        .map(|row| stored(table, &types, row, &holder))
        .collect::<Result<_, _>>()?;
    insert(&mut work, table, &types, &rows).await?;
    Ok(work.commit().await?)
}

/// A row as its table holds it: the inverse of what `row::shape` tells.
fn stored(table: &'static Table, types: &Types, mut row: Row, by: &Holder) -> Result<Row, Refusal> {
    let is_known = |name: &String| table.columns.iter().any(|column| column.name == name);
    if !row.keys().all(is_known) {
        return Err(Refusal::new("unknown-column"));
    }
    (by.completer)(table.name, &mut row).map_err(|_| Refusal::new("bad-value"))?;
    for (name, value) in &mut row {
        if types.get(name) == Some(&Type::Time) && !value.is_null() {
            *value = micros(value)
                .ok_or_else(|| Refusal::new("bad-value"))?
                .into();
        }
    }
    Ok(row)
}

/// A time that no calendar has is told as its number.
fn micros(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let time = DateTime::parse_from_rfc3339(text);
    time.map_or_else(|_| text.parse().ok(), |time| Some(time.timestamp_micros()))
}

async fn insert(
    work: &mut Work,
    table: &Table,
    types: &Types,
    rows: &[Row],
) -> Result<(), Refusal> {
    let columns: BTreeSet<&str> = rows
        .iter()
        .flat_map(Row::keys)
        .map(String::as_str)
        .collect();
    let text = statement(table, types, &columns, work.dialect());
    let rows = json_text(&rows)?;
    let inserted = sql!(work, c => sqlx::query(sqlx::AssertSqlSafe(text)).bind(&rows)
        .execute(c).await.map(drop));
    inserted.map_err(|error| match &error {
        sqlx::Error::Database(inner) if inner.is_unique_violation() => Refusal::new("taken"),
        _ => DatabaseError::from(error).into(),
    })
}

/// Inserts rows, given as one JSON text. The names are the data map's, never somebody's.
fn statement(table: &Table, types: &Types, columns: &BTreeSet<&str>, dialect: Dialect) -> String {
    let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let names = names.join(", ");
    match dialect {
        Dialect::Sqlite => {
            let values = columns.iter().map(|name| value(name, types));
            let values: Vec<String> = values.collect();
            let values = values.join(", ");
            format!(
                "INSERT INTO \"{}\" ({names}) SELECT {values} FROM json_each($1)",
                table.name
            )
        }
        Dialect::Postgres => format!(
            "INSERT INTO \"{0}\" ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::\"{0}\", $1::jsonb)",
            table.name
        ),
    }
}

/// A value of a row, as SQLite keeps it.
fn value(column: &str, types: &Types) -> String {
    let value = format!("value->>'{column}'");
    match types.get(column) {
        Some(Type::Id) => format!("unhex({value}, '-')"),
        Some(Type::Bytes) => format!("unhex(substr({value}, 3))"),
        Some(Type::Boolean | Type::Time | Type::Plain) | None => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_as_they_were_told() {
        let told = |text: &str| micros(&json!(text));
        assert_eq!(told("1970-01-01T00:00:01.000002Z"), Some(1_000_002));
        assert_eq!(told("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(told("yesterday"), None);
        assert_eq!(micros(&json!(7)), None);
    }

    #[test]
    fn a_statement_names_the_columns_that_are_given() {
        let table = personal_table("tick-api", "tick").unwrap();
        let types = [
            ("id", Type::Id),
            ("note", Type::Bytes),
            ("birds", Type::Plain),
        ];
        let types: Types = types.map(|(name, kind)| (name.to_owned(), kind)).into();
        let columns = BTreeSet::from(["id", "note", "birds"]);
        assert_eq!(
            statement(table, &types, &columns, Dialect::Sqlite),
            r#"INSERT INTO "tick" ("birds", "id", "note") SELECT value->>'birds', unhex(value->>'id', '-'), unhex(substr(value->>'note', 3)) FROM json_each($1)"#
        );
    }
}
