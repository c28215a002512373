//! The statements that read a table's rows about somebody: made from the data map, whose words are
//! ours, never from what somebody sends.

use std::collections::HashMap;

use data_map::{Owner, Table, Way};

use crate::database::{DatabaseError, Dialect, Session, Sql};
use crate::sql;

const TYPES: Sql = Sql {
    sqlite: "SELECT name, type FROM pragma_table_info($1)",
    postgres: "SELECT column_name::text, data_type::text FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = $1",
};

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Id,
    Boolean,
    /// Microseconds since 1970.
    Time,
    /// Bytes, of which an export holds what they seal.
    Bytes,
    /// As JSON has it: a number, a text.
    Plain,
}

pub(super) type Types = HashMap<String, Type>;

/// The types of a table's columns.
pub(super) async fn types(session: &mut Session, table: &Table) -> Result<Types, DatabaseError> {
    let text = TYPES.text(session.dialect());
    let columns: Vec<(String, String)> =
        sql!(session, c => sqlx::query_as(text).bind(table.name).fetch_all(c).await)?;
    let types = columns.into_iter().map(|(name, declared)| {
        let found = of(&name, &declared);
        (name, found)
    });
    Ok(types.collect())
}

fn of(column: &str, declared: &str) -> Type {
    let is_time = column == "at" || column.ends_with("_at") || column.ends_with("_until");
    match declared.to_ascii_lowercase().as_str() {
        "uuid" => Type::Id,
        "boolean" => Type::Boolean,
        "bytea" => Type::Bytes,
        "bigint" if is_time => Type::Time,
        _ => Type::Plain,
    }
}

/// The name under which a row says whether it belongs to somebody by an owner's column.
pub(super) fn mark(position: usize) -> String {
    format!("?{position}")
}

/// Selects the rows about `$1` after the text `$2`, at most `$3`. A row is one JSON text; it begins
/// with the columns that tell rows apart, so that the texts' order is the rows', and stays when a
/// figure in one changes.
pub(super) fn rows(table: &Table, dialect: Dialect) -> String {
    let owners = table.owners().iter();
    let conditions: Vec<String> = owners.map(|owner| condition(owner, dialect)).collect();
    let columns = table.columns.iter().map(|column| column.name);
    let mut pairs: Vec<String> = columns
        .map(|name| format!("'{name}', {}", value(name, dialect)))
        .collect();
    let marks = conditions.iter().enumerate();
    pairs.extend(marks.map(|(position, is)| format!("'{}', ({is})", mark(position))));
    let object = match dialect {
        Dialect::Sqlite => format!("json_object({})", pairs.join(", ")),
        Dialect::Postgres => format!(
            "json_build_object({})::text COLLATE \"C\"",
            pairs.join(", ")
        ),
    };
    format!(
        "SELECT doc FROM (SELECT {object} AS doc FROM \"{}\" WHERE {}) AS docs
         WHERE doc > $2 ORDER BY doc LIMIT $3",
        table.name,
        conditions.join(" OR "),
    )
}

/// SQLite's JSON holds no bytes; they are written as PostgreSQL writes them.
fn value(column: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => format!(
            "CASE typeof(\"{column}\") WHEN 'blob' THEN '\\x' || hex(\"{column}\") ELSE \"{column}\" END"
        ),
        Dialect::Postgres => format!("\"{column}\""),
    }
}

fn condition(owner: &Owner, dialect: Dialect) -> String {
    let id = match dialect {
        Dialect::Sqlite => "unhex($1, '-')",
        Dialect::Postgres => "$1::uuid",
    };
    let column = owner.column;
    match owner.way {
        Way::Person => format!("\"{column}\" = {id}"),
        Way::Photo {
            table,
            photo,
            owner,
            unless,
        } => {
            let photos = format!("SELECT \"{photo}\" FROM \"{table}\" WHERE \"{owner}\" = {id}");
            let is_asked =
                unless.map_or(String::new(), |column| format!("\"{column}\" IS NULL AND "));
            format!("{is_asked}\"{column}\" IN ({photos})")
        }
        Way::Text => format!("lower(\"{column}\") LIKE '%' || $1 || '%'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_theirs_by_its_columns_or_by_a_photo_of_theirs() {
        let table = data_map::tables_of("statistics").find(|table| table.name == "rating");
        let conditions: Vec<String> = table
            .unwrap()
            .owners()
            .iter()
            .map(|owner| condition(owner, Dialect::Postgres))
            .collect();
        assert_eq!(
            conditions,
            [
                r#""user_id" = $1::uuid"#,
                r#""owner" = $1::uuid"#,
                r#""owner" IS NULL AND "image_id" IN (SELECT "image_id" FROM "tick" WHERE "user_id" = $1::uuid)"#,
            ]
        );
    }

    #[test]
    fn times_are_known_by_their_names() {
        assert_eq!(of("created_at", "BIGINT"), Type::Time);
        assert_eq!(of("at", "bigint"), Type::Time);
        assert_eq!(of("rating_count", "BIGINT"), Type::Plain);
        assert_eq!(of("owner", "UUID"), Type::Id);
        assert_eq!(of("note", "BYTEA"), Type::Bytes);
        assert_eq!(of("stands", "boolean"), Type::Boolean);
    }
}
