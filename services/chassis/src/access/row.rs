//! A row as its owner is given it: what seals a field is opened, what is about others is left out.

use chrono::{DateTime, SecondsFormat, Utc};
use data_map::{Category, Export, Owner, Part, Table, Way, Whose};
use serde_json::Value;
use uuid::Uuid;

use super::query::{Type, Types, mark};
use super::{Opener, Row};
use crate::database::DatabaseError;

/// What stands before the digits of bytes in the text of a row.
const BYTES: &str = "\\x";

/// A sealed field, and the row that it stands in.
pub struct Sealed<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    row: &'a Row,
}

impl Sealed<'_> {
    /// The sealed bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, DatabaseError> {
        self.bytes_of(self.column)
    }

    /// The bytes in another column of the row.
    pub fn bytes_of(&self, column: &str) -> Result<Vec<u8>, DatabaseError> {
        let text = self.row.get(column).and_then(Value::as_str);
        let digits = text.and_then(|text| text.strip_prefix(BYTES));
        digits
            .and_then(|digits| hex::decode(digits).ok())
            .ok_or(DatabaseError::Damaged("the bytes of a sealed column"))
    }

    /// The id in another column of the row.
    pub fn id_of(&self, column: &str) -> Result<Uuid, DatabaseError> {
        self.row
            .get(column)
            .and_then(id)
            .ok_or(DatabaseError::Damaged("the id of a row"))
    }
}

/// Makes a row of its text.
pub(super) fn shape(
    table: &'static Table,
    types: &Types,
    text: &str,
    opener: &Opener,
) -> Result<Row, DatabaseError> {
    let raw: Row =
        serde_json::from_str(text).map_err(|_| DatabaseError::Damaged("the text of a row"))?;
    let theirs = theirs(table, &raw);
    let mut row = Row::new();
    for column in table.columns {
        let value = raw.get(column.name).unwrap_or(&Value::Null);
        if is_about_others(table, column, &theirs) {
            continue;
        }
        let value = match column.export {
            Export::LeftOut(_) => continue,
            Export::Opened if !value.is_null() => opener(&Sealed {
                table: table.name,
                column: column.name,
                row: &raw,
            })?,
            Export::Opened | Export::Value => plain(types.get(column.name).copied(), value)?,
        };
        row.insert(column.name.to_owned(), value);
    }
    Ok(row)
}

/// By which of the table's owners the row is the person's.
fn theirs(table: &'static Table, raw: &Row) -> Vec<&'static Owner> {
    let owners = table.owners().iter().enumerate();
    let theirs = owners.filter(|(position, _)| {
        // SQLite has no boolean: it says 1.
        let is = raw.get(&mark(*position));
        is.is_some_and(|is| is == &Value::Bool(true) || is == &Value::from(1))
    });
    theirs.map(|(_, owner)| owner).collect()
}

/// Who else is in the row, and ids of what somebody else did, are not for its owner to know.
fn is_about_others(table: &Table, column: &Part, theirs: &[&Owner]) -> bool {
    let names_a_person = |owner: &&Owner| owner.way == Way::Person && owner.column == column.name;
    let names_another = table.owners().iter().any(|owner| names_a_person(&owner))
        && !theirs.iter().any(names_a_person);
    let is_act = matches!(column.whose, Whose::Rater | Whose::Admin)
        && column.category == Category::Pseudonym;
    let is_own_act = theirs.iter().any(|owner| owner.whose == column.whose);
    names_another || (is_act && !is_own_act)
}

fn plain(kind: Option<Type>, value: &Value) -> Result<Value, DatabaseError> {
    let damaged = DatabaseError::Damaged("a value of a row");
    Ok(match (kind, value) {
        (_, Value::Null) | (Some(Type::Plain | Type::Bytes) | None, _) => value.clone(),
        (Some(Type::Id), value) => id(value).ok_or(damaged)?.to_string().into(),
        (Some(Type::Boolean), value) => {
            (value == &Value::Bool(true) || value == &Value::from(1)).into()
        }
        (Some(Type::Time), value) => {
            let micros = value.as_i64().ok_or(damaged)?;
            time(micros).into()
        }
    })
}

fn id(value: &Value) -> Option<Uuid> {
    let text = value.as_str()?;
    Uuid::parse_str(text.strip_prefix(BYTES).unwrap_or(text)).ok()
}

/// What stands for a time that no calendar has is the number itself.
fn time(micros: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros).map_or_else(
        || micros.to_string(),
        |time| time.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use data_map::tables_of;
    use serde_json::json;

    use super::*;
    use crate::access::nothing_sealed;

    fn table(service: &str, name: &str) -> &'static Table {
        tables_of(service).find(|table| table.name == name).unwrap()
    }

    fn shaped(table: &'static Table, row: &Value) -> Value {
        let types = Types::from([
            ("rater".to_owned(), Type::Id),
            ("rated_at".to_owned(), Type::Time),
        ]);
        let row = shape(table, &types, &row.to_string(), &nothing_sealed());
        Value::Object(row.unwrap())
    }

    #[test]
    fn of_a_rating_the_rater_is_told_all_and_the_owner_the_value() {
        let rating = |rater: bool, owner: i64| {
            let id = "\\x6F1C2A523E0B4C839A570D3F4A1B7C11";
            let row = json!({
                "image": "i", "rater": id, "rating": 4, "event_id": "e", "rated_at": 1_000_000,
                "?0": rater, "?1": owner,
            });
            shaped(table("tick-api", "rating"), &row)
        };
        let at = "1970-01-01T00:00:01.000000Z";
        let rater = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
        assert_eq!(
            rating(true, 0),
            json!({"image": "i", "rater": rater, "rating": 4, "event_id": "e", "rated_at": at})
        );
        assert_eq!(
            rating(false, 1),
            json!({"image": "i", "rating": 4, "rated_at": at})
        );
    }

    #[test]
    fn what_an_admin_did_to_somebody_does_not_say_which_admin() {
        let entry = json!({
            "id": "e", "at": 1, "admin_id": "a", "action": "set-role", "target": "user/u", "reason": "asked",
            "?0": false, "?1": true, "?2": false,
        });
        assert_eq!(
            shaped(table("admin-api", "audit"), &entry),
            json!({"at": 1, "action": "set-role", "target": "user/u", "reason": "asked"})
        );
    }

    #[test]
    fn secrets_are_left_out_and_sealed_columns_opened() {
        let row = json!({
            "user_id": "u", "key_sealed": "\\x01ff", "email_sealed": null, "name_sealed": "\\x02", "?0": 1,
        });
        let opener: Opener = Arc::new(|sealed| {
            assert_eq!(sealed.bytes_of("key_sealed").unwrap(), [1, 255]);
            Ok(json!(sealed.bytes().unwrap()))
        });
        let identity = table("user-api", "identity");
        let row = shape(identity, &Types::new(), &row.to_string(), &opener).unwrap();
        assert_eq!(row["name_sealed"], json!([2]));
        assert_eq!(row["email_sealed"], Value::Null);
        assert!(!row.contains_key("key_sealed"));
    }
}
