//! What is sealed with an older key is sealed anew with the newest, a page a transaction, while the service goes
//! on. Which columns those are follows from the data map.

mod replicas;

use data_map::{SEALS, Seal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::{Database, DatabaseError};
use crate::keys::{Keys, front};
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};
use crate::sql;
use crate::unit_of_work::Work;

pub(crate) use replicas::told;
pub use replicas::{Replica, replicas};

/// How many values are sealed anew in a transaction.
const PAGE: i64 = 200;

/// Seal the next values of a column anew. Answered by every service with a database; refused with
/// `unknown-column` for a column that is not sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct SealAnew {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Where the page before ended; none for the first.
    pub after: Option<Uuid>,
}

/// What was sealed anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SealedAnew {
    /// The number of the key that sealed.
    pub key: u32,
    /// How many values it sealed.
    pub values: u64,
    /// How many no key opens.
    pub unreadable: u64,
    /// Where the next page begins, if there is one.
    pub next: Option<Uuid>,
}

impl CommonQuestion for SealAnew {
    const NAME: &'static str = "seal-anew";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = SealedAnew;
}

#[derive(Clone)]
struct Sealer {
    database: Database,
    keys: Keys,
}

/// The table of what every service with a database answers about its seals.
pub(crate) fn answers(database: &Database, keys: Keys) -> BoundAnswers {
    Answers::new()
        .on_common(database.service(), seal_anew)
        .with_state(Sealer {
            database: database.clone(),
            keys,
        })
}

async fn seal_anew(sealer: Sealer, question: SealAnew) -> Result<SealedAnew, Refusal> {
    let service = sealer.database.service();
    let is_meant = |seal: &&Seal| {
        (seal.service, seal.table, seal.column) == (service, &question.table, &question.column)
    };
    let seal = SEALS.iter().find(is_meant);
    let seal = seal.ok_or_else(|| Refusal::new("unknown-column"))?;
    let key = sealer.keys.newest();
    let mut work = sealer.database.begin().await?;
    let page = older(&mut work, seal, (key, question.after)).await?;
    let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows == PAGE);
    let mut done = SealedAnew {
        key,
        values: 0,
        unreadable: 0,
        next: page.last().map(|(id, _)| *id).filter(|_| is_full),
    };
    let sealing = sealer.keys.sealing(seal.purpose);
    for (id, old) in page {
        let place = seal.place(id);
        match sealing.open(&place, &old) {
            Ok(plain) => {
                let new = sealing.seal(&place, &plain);
                done.values += replace(&mut work, seal, (id, &old, &new)).await?;
            }
            Err(_) => done.unreadable += 1,
        }
    }
    if done.values > 0 {
        // Of what the old key opened nothing must stay in the files.
        work.erases();
    }
    work.commit().await?;
    Ok(done)
}

/// Values that another key than the newest has sealed. The names are the data map's.
async fn older(
    work: &mut Work,
    seal: &Seal,
    (newest, after): (u32, Option<Uuid>),
) -> Result<Vec<(Uuid, Vec<u8>)>, DatabaseError> {
    let (table, column, id) = (seal.table, seal.column, seal.id);
    let front = front(newest);
    let text = format!(
        "SELECT \"{id}\", \"{column}\" FROM \"{table}\"
         WHERE substr(\"{column}\", 1, {}) <> $1 AND \"{id}\" > $2 ORDER BY \"{id}\" LIMIT $3",
        front.len()
    );
    Ok(sql!(work, c => sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(front.as_slice()).bind(after.unwrap_or_default()).bind(PAGE)
        .fetch_all(c).await)?)
}

/// Unless it was changed since.
async fn replace(
    work: &mut Work,
    seal: &Seal,
    (row, old, new): (Uuid, &[u8], &[u8]),
) -> Result<u64, DatabaseError> {
    let (table, column, id) = (seal.table, seal.column, seal.id);
    let text = format!(
        "UPDATE \"{table}\" SET \"{column}\" = $1 WHERE \"{id}\" = $2 AND \"{column}\" = $3"
    );
    Ok(sql!(work, c => sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(new).bind(row).bind(old).execute(c).await.map(|done| done.rows_affected()))?)
}
