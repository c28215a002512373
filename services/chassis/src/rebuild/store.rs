//! The row of the newest rebuild, and the rows that both generations share.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::{Progress, Rebuild, Start, State};
use crate::database::{Beside, DatabaseError, Session};
use crate::sql;
use crate::unit_of_work::Work;

const INSERT: &str = "INSERT INTO rebuild (consumer, id, takes_over, events_per_second, state, is_cancelled, progress, started_at)
    VALUES ($1, $2, $3, $4, $5, false, $6, $7)
    ON CONFLICT (consumer) DO UPDATE SET id = excluded.id, takes_over = excluded.takes_over,
        events_per_second = excluded.events_per_second, state = excluded.state, is_cancelled = false,
        progress = excluded.progress, started_at = excluded.started_at, ended_at = NULL
    WHERE rebuild.ended_at IS NOT NULL";
const FIND: &str = "SELECT id, takes_over, events_per_second, state, progress, started_at, ended_at
    FROM rebuild WHERE consumer = $1";
const CANCEL: &str =
    "UPDATE rebuild SET is_cancelled = true WHERE consumer = $1 AND ended_at IS NULL";
const ADVANCE: &str = "UPDATE rebuild SET state = $3, progress = $4
    WHERE consumer = $1 AND id = $2 AND is_cancelled = false AND ended_at IS NULL";
const END: &str = "UPDATE rebuild SET state = $3, progress = $4, ended_at = $5
    WHERE consumer = $1 AND id = $2 AND ended_at IS NULL";
const SWITCH: &str = "UPDATE rebuild SET state = $3, progress = $4, ended_at = $5
    WHERE consumer = $1 AND id = $2 AND is_cancelled = false AND ended_at IS NULL";
const SKIPPED: &str = "SELECT CAST(COALESCE(SUM(skipped), 0) AS BIGINT) FROM progress";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    takes_over: String,
    events_per_second: Option<i64>,
    state: String,
    progress: String,
    started_at: i64,
    ended_at: Option<i64>,
}

/// Writes down what was asked for. False while another rebuild has not ended.
pub(super) async fn insert(work: &mut Work, asked: &Start) -> Result<bool, DatabaseError> {
    let (id, now) = (work.clock().random_id(), work.clock().micros());
    let service = work.database().service();
    let (switch, state) = (word(&asked.switch), word(&State::Asked));
    let progress = json(&Progress::default());
    let rate = asked.events_per_second.map(i64::from);
    let done = sql!(work, c => sqlx::query(INSERT).bind(service).bind(id).bind(&switch).bind(rate)
        .bind(&state).bind(&progress).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// The newest rebuild.
pub(super) async fn find(
    session: &mut Session,
    service: &str,
) -> Result<Option<Rebuild>, DatabaseError> {
    let row: Option<Row> =
        sql!(session, c => sqlx::query_as(FIND).bind(service).fetch_optional(c).await)?;
    row.map(Row::rebuild).transpose()
}

/// Asks for the end of a rebuild that runs.
pub(super) async fn cancel(work: &mut Work, service: &str) -> Result<bool, DatabaseError> {
    let done = sql!(work, c => sqlx::query(CANCEL).bind(service).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Notes how far it is. False when somebody asked for its end.
pub(super) async fn advance(work: &mut Work, rebuild: &Rebuild) -> Result<bool, DatabaseError> {
    let service = work.database().service();
    let (state, progress) = (word(&rebuild.state), json(&rebuild.progress));
    let done = sql!(work, c => sqlx::query(ADVANCE).bind(service).bind(rebuild.id).bind(&state)
        .bind(&progress).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Ends it, unless it has ended.
pub(super) async fn end(work: &mut Work, rebuild: &Rebuild) -> Result<(), DatabaseError> {
    finish(work, END, rebuild).await.map(drop)
}

/// Ends it by taking over, in the generation that does. False when somebody asked for its end.
pub(super) async fn switch(work: &mut Work, rebuild: &Rebuild) -> Result<bool, DatabaseError> {
    finish(work, SWITCH, rebuild).await
}

async fn finish(
    work: &mut Work,
    text: &'static str,
    rebuild: &Rebuild,
) -> Result<bool, DatabaseError> {
    let (service, now) = (work.database().service(), work.clock().micros());
    let (state, progress) = (word(&rebuild.state), json(&rebuild.progress));
    let done = sql!(work, c => sqlx::query(text).bind(service).bind(rebuild.id).bind(&state)
        .bind(&progress).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Brings over what the streams do not tell: who was erased, the lease under which we work, and
/// what the service says.
pub(super) async fn carry(
    work: &mut Work,
    beside: &Beside,
    of_service: &'static [&'static str],
) -> Result<(), DatabaseError> {
    let live = &beside.live;
    run(work, fence_of(live)).await?;
    replace(work, "lease", live).await?;
    for statement in of_service {
        sql!(work, c => sqlx::query(*statement).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Brings over what belongs to the service and not to a generation. What was to be published from
/// here never is: the live generation has published it.
pub(super) async fn inherit(work: &mut Work, beside: &Beside) -> Result<(), DatabaseError> {
    let live = &beside.live;
    run(work, fence_of(live)).await?;
    for table in ["outbox", "lease", "rebuild", "repair"] {
        replace(work, table, live).await?;
    }
    Ok(())
}

fn fence_of(live: &str) -> String {
    format!("INSERT INTO erased SELECT * FROM {live}.erased WHERE true ON CONFLICT DO NOTHING")
}

async fn replace(work: &mut Work, table: &str, live: &str) -> Result<(), DatabaseError> {
    run(work, format!("DELETE FROM {table}")).await?;
    run(
        work,
        format!("INSERT INTO {table} SELECT * FROM {live}.{table}"),
    )
    .await
}

async fn run(work: &mut Work, statement: String) -> Result<(), DatabaseError> {
    let statement = AssertSqlSafe(statement);
    sql!(work, c => sqlx::query(statement).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether the live generation is still worked on under this lease.
pub(super) async fn is_live_held(
    work: &mut Work,
    beside: &Beside,
    epoch: i64,
) -> Result<bool, DatabaseError> {
    let text = format!(
        "SELECT epoch FROM {}.lease WHERE consumer = $1 AND epoch = $2",
        beside.live
    );
    let (text, service) = (AssertSqlSafe(text), work.database().service());
    let found: Option<i64> = sql!(work, c => sqlx::query_scalar(text).bind(service).bind(epoch)
        .fetch_optional(c).await)?;
    Ok(found.is_some())
}

impl Row {
    fn rebuild(self) -> Result<Rebuild, DatabaseError> {
        Ok(Rebuild {
            id: self.id,
            switch: read_word(self.takes_over)?,
            events_per_second: self
                .events_per_second
                .and_then(|rate| u32::try_from(rate).ok()),
            state: read_word(self.state)?,
            progress: serde_json::from_str(&self.progress)
                .map_err(|_| DatabaseError::Damaged("rebuild.progress"))?,
            started_at: self.started_at,
            ended_at: self.ended_at,
        })
    }
}

/// How many events the generation did without.
pub(super) async fn skipped(work: &mut Work) -> Result<u64, DatabaseError> {
    let found: i64 = sql!(work, c => sqlx::query_scalar(SKIPPED).fetch_one(c).await)?;
    Ok(found.unsigned_abs())
}

fn json(progress: &Progress) -> String {
    serde_json::to_string(progress).unwrap_or_default()
}

fn word(of: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn read_word<T: DeserializeOwned>(word: String) -> Result<T, DatabaseError> {
    serde_json::from_value(Value::String(word)).map_err(|_| DatabaseError::Damaged("rebuild"))
}
