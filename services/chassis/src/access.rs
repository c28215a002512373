//! Access (Art. 15 GDPR): what a service's database holds about somebody; portability (Art. 20): how it takes that
//! back from another instance's export. Which tables, which rows
//! and which columns these are follows from the data map, so all services answer in the same way;
//! each opens by itself what only it can.

mod give_back;
mod query;
mod row;

use std::sync::Arc;

use data_map::{Table, tables_of};
use envelope::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::database::{Database, DatabaseError, Session};
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};
use crate::sql;
pub(crate) use give_back::nothing_lacks;
pub use give_back::{Completer, GiveBack, PassOver};
pub use row::Sealed;

/// How many rows are read for a page at most.
const ROWS: i64 = 500;
/// How much of them goes into one answer: a message of the broker has a megabyte.
const BYTES: usize = 512 * 1024;

/// A row: what each column holds, by its name.
pub type Row = Map<String, Value>;

/// Which rows of a table are about somebody? Answered page by page. Refused with `unknown-table`
/// for a table that holds nobody's rows, and with `erased`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// Who asks for their data.
    pub user: UserId,
    /// The table, by its name in the data map.
    pub table: String,
    /// Where the page before ended; empty for the first.
    pub after: String,
}

/// Rows about somebody.
#[derive(Clone, Serialize, Deserialize)]
pub struct Page {
    /// The rows, without what is about others, and without what an export leaves out.
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl CommonQuestion for Held {
    const NAME: &'static str = "held";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = Page;
}

/// Opens a column that its service has sealed.
pub type Opener = Arc<dyn Fn(&Sealed<'_>) -> Result<Value, DatabaseError> + Send + Sync>;

/// For services that seal nothing.
pub(crate) fn nothing_sealed() -> Opener {
    Arc::new(|_| Err(DatabaseError::Damaged("a sealed column that nobody opens")))
}

#[derive(Clone)]
struct Holder {
    database: Database,
    opener: Opener,
    completer: Completer,
}

/// The table of what every service with a database answers about people's data.
pub(crate) fn answers(database: &Database, opener: Opener, completer: Completer) -> BoundAnswers {
    let holder = Holder {
        database: database.clone(),
        opener,
        completer,
    };
    Answers::new()
        .on_common(database.service(), held)
        .on_common(database.service(), give_back::give_back)
        .on_common(database.service(), give_back::pass_over)
        .with_state(holder)
}

async fn held(holder: Holder, question: Held) -> Result<Page, Refusal> {
    let database = &holder.database;
    let table = personal_table(database.service(), &question.table)
        .ok_or_else(|| Refusal::new("unknown-table"))?;
    if database.is_erased(question.user.0).await? {
        return Err(Refusal::new("erased"));
    }
    let mut session = database.read().await?;
    let types = query::types(&mut session, table).await?;
    let (texts, next) = page(&mut session, table, &question).await?;
    let rows = texts
        .iter()
        .map(|text| row::shape(table, &types, text, &holder.opener));
    Ok(Page {
        rows: rows.collect::<Result<_, _>>()?,
        next,
    })
}

fn personal_table(service: &str, name: &str) -> Option<&'static Table> {
    tables_of(service).find(|table| table.name == name && !table.owners().is_empty())
}

/// Texts of rows that fit into one answer, and where the next page begins.
async fn page(
    session: &mut Session,
    table: &Table,
    question: &Held,
) -> Result<(Vec<String>, Option<String>), DatabaseError> {
    let text = query::rows(table, session.dialect());
    let user = question.user.to_string();
    let mut texts: Vec<String> = sql!(session, c => sqlx::query_scalar(sqlx::AssertSqlSafe(text))
        .bind(&user).bind(&question.after).bind(ROWS)
        .fetch_all(c).await)?;
    let is_full = i64::try_from(texts.len()).is_ok_and(|rows| rows == ROWS);
    let fitting = fitting(&texts);
    let is_cut = fitting < texts.len();
    texts.truncate(fitting);
    let next = texts.last().filter(|_| is_full || is_cut).cloned();
    Ok((texts, next))
}

/// How many of the rows fit into an answer; one does in any case.
fn fitting(texts: &[String]) -> usize {
    let mut bytes = 0;
    let fitting = texts.iter().take_while(|text| {
        bytes += text.len();
        bytes <= BYTES
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stays_below_what_a_message_may_have() {
        let rows = vec!["x".repeat(BYTES / 4); 9];
        assert_eq!(fitting(&rows), 4);
        assert_eq!(fitting(&["x".repeat(BYTES + 1)]), 1);
    }

    #[test]
    fn tables_of_nobodys_rows_are_not_told() {
        assert!(personal_table("tick-api", "tick").is_some());
        assert!(personal_table("tick-api", "inbox").is_none());
        assert!(personal_table("tick-api", "outbox").is_none());
        assert!(personal_table("tick-api", "credential").is_none());
    }
}
