//! Who came back: a restored database holds people who were erased since. They are fenced off again by
//! their keyed hashes, which the ledger has, and then found among the people whom the data map says that
//! tables name.

use data_map::{Way, tables_of};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::{Database, DatabaseError, Session};
use crate::lifecycle::Lifecycle;
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};
use crate::sql;
use crate::unit_of_work::Work;

/// How many people of a column are looked at for one answer.
const PAGE: i64 = 4096;

/// Incarnation 0 is no stream's.
const READ_AGAIN: &str =
    "UPDATE progress SET incarnation = 0, checkpoint = 0, checkpoint_time = 0 WHERE consumer = $1";
const HAS_READ: &str = "SELECT COUNT(*) FROM progress
    WHERE consumer = $1 AND stream = $2 AND incarnation <> 0 AND checkpoint >= $3";
const IS_LED: &str = "SELECT COUNT(*) FROM lease WHERE consumer = $1 AND leased_until > $2";

/// Fence these off, whoever they are. Answered by every service with a database.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refence {
    /// Keyed hashes of people's ids.
    pub subjects: Vec<String>,
}

/// Whom of those who are fenced off do rows name? Answered page by page.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Returned {
    /// Where the page before ended; none for the first.
    pub after: Option<Position>,
}

/// A place among the people whom a service's tables name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The column, by its number in the data map.
    column: usize,
    /// Whom it named last.
    person: Uuid,
}

/// People who are fenced off and named all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Who.
    pub people: Vec<Uuid>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

impl CommonQuestion for Refence {
    const NAME: &'static str = "refence";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = ();
}

impl CommonQuestion for Returned {
    const NAME: &'static str = "returned";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = Page;
}

/// The table of what every service with a database answers after a restore.
pub(crate) fn answers(database: &Database) -> BoundAnswers {
    Answers::new()
        .on_common(database.service(), refence)
        .on_common(database.service(), returned)
        .with_state(database.clone())
}

async fn refence(database: Database, question: Refence) -> Result<(), Refusal> {
    let mut work = database.begin().await?;
    work.fence_hashes(&question.subjects).await?;
    work.commit().await?;
    Ok(())
}

async fn returned(database: Database, question: Returned) -> Result<Page, Refusal> {
    Ok(page(&database, question.after).await?)
}

/// A page of those who are fenced off in a database and named by its rows.
pub async fn page(database: &Database, after: Option<Position>) -> Result<Page, DatabaseError> {
    let at = after.unwrap_or(Position {
        column: 0,
        person: Uuid::nil(),
    });
    let columns = columns_of(database.service());
    let Some((table, column)) = columns.get(at.column) else {
        return Ok(Page {
            people: Vec::new(),
            next: None,
        });
    };
    let text = format!(
        "SELECT DISTINCT \"{column}\" FROM \"{table}\" WHERE \"{column}\" > $1 ORDER BY \"{column}\" LIMIT $2"
    );
    let mut work = database.begin().await?;
    let named: Vec<Uuid> = sql!(work, c => sqlx::query_scalar(sqlx::AssertSqlSafe(text))
        .bind(at.person).bind(PAGE).fetch_all(c).await)?;
    let fenced = work.erased_among(&named).await?;
    let next = match named.last() {
        Some(last) => Some(Position {
            person: *last,
            ..at
        }),
        None if at.column + 1 < columns.len() => Some(Position {
            column: at.column + 1,
            person: Uuid::nil(),
        }),
        None => None,
    };
    Ok(Page {
        people: fenced.into_iter().collect(),
        next,
    })
}

/// The columns that hold the ids of those whose a row is.
fn columns_of(service: &str) -> Vec<(&'static str, &'static str)> {
    let columns = tables_of(service).flat_map(|table| {
        let owners = table.owners().iter();
        let people = owners.filter(|owner| owner.way == Way::Person);
        people.map(|owner| (table.name, owner.column))
    });
    columns.collect()
}

/// Lets a service's projections read their streams from the beginning when they are started.
pub async fn read_again(work: &mut Work) -> Result<(), DatabaseError> {
    let consumer = work.database().service();
    sql!(work, c => sqlx::query(READ_AGAIN).bind(consumer).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether a service's projection has read a stream up to a sequence, if it had to from the beginning.
pub async fn has_read(
    session: &mut Session,
    (consumer, stream): (&str, &str),
    sequence: u64,
) -> Result<bool, DatabaseError> {
    let sequence = sequence.cast_signed();
    let found: i64 = sql!(session, c => sqlx::query_scalar(HAS_READ)
        .bind(consumer).bind(stream).bind(sequence).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Whether a process is at work on a service's projections, so that its database cannot just have
/// been restored.
pub async fn is_led(database: &Database) -> Result<bool, DatabaseError> {
    let (consumer, now) = (database.service(), database.clock.micros());
    let mut session = database.read().await?;
    let found: i64 =
        sql!(session, c => sqlx::query_scalar(IS_LED).bind(consumer).bind(now).fetch_one(c).await)?;
    Ok(found > 0)
}

/// All who are fenced off in a database and named by its rows.
pub async fn all(database: &Database, lifecycle: &Lifecycle) -> Result<Vec<Uuid>, DatabaseError> {
    let (mut people, mut after) = (Vec::new(), None);
    while !lifecycle.is_stopping() {
        let page = page(database, after).await?;
        people.extend(page.people);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_looked_for_wherever_the_data_map_says_that_rows_are_theirs() {
        let columns = columns_of("tick-api");
        assert!(
            columns.contains(&("image", "owner_id")) || columns.contains(&("image", "owner")),
            "{columns:?}"
        );
        assert!(columns_of("user-api").contains(&("identity", "user_id")));
        for service in data_map::services() {
            assert!(!columns_of(service).is_empty(), "{service}");
        }
    }
}
