//! What comes from another instance's export, completed: ratings that waited to be told of were not brought along, so
//! nothing is due here.

use chassis::access::Row;
use chassis::database::DatabaseError;
use serde_json::Value;

/// Completes a row of a table.
#[expect(
    clippy::unnecessary_wraps,
    reason = "other services seal, which may fail"
)]
pub(crate) fn complete(table: &str, row: &mut Row) -> Result<(), DatabaseError> {
    if table == "recipient" {
        row.insert("due_at".to_owned(), Value::Null);
        row.insert("mail_id".to_owned(), Value::Null);
        row.insert("attempts".to_owned(), 0.into());
    }
    Ok(())
}
