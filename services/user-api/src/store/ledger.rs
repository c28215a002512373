//! How far the ledger of erased people was when this database was changed by it last.

use chassis::database::{DatabaseError, Session};
use chassis::ledger::Head;
use chassis::sql;

const FIND: &str = "SELECT entries, link FROM ledger_head WHERE id = 1";
const RECORD: &str = "INSERT INTO ledger_head (id, entries, link) VALUES (1, $1, $2)
    ON CONFLICT (id) DO UPDATE SET entries = excluded.entries, link = excluded.link
    WHERE ledger_head.entries < excluded.entries";

/// The recorded head, if the ledger was ever there.
pub(crate) async fn head(session: &mut Session) -> Result<Option<Head>, DatabaseError> {
    let row: Option<(i64, String)> =
        sql!(session, c => sqlx::query_as(FIND).fetch_optional(c).await)?;
    Ok(row.map(|(entries, link)| Head {
        entries: entries.unsigned_abs(),
        link,
    }))
}

/// Records a head, unless a later one is.
pub(crate) async fn record(session: &mut Session, head: &Head) -> Result<(), DatabaseError> {
    let entries = head.entries.cast_signed();
    sql!(session, c => sqlx::query(RECORD).bind(entries).bind(&head.link).execute(c).await.map(drop))?;
    Ok(())
}
