//! The write-ahead log holds what was written into tables, until the server has gone on to other files and a checkpoint
//! has made the old ones unnecessary. By itself it does so when a file of 16 MB is full.

use anyhow::ensure;
use sqlx::postgres::PgConnection;

use super::{execute, scalar};
use crate::database::DatabaseError;

/// One service of a server at a time: what the others have written by then goes with it.
const ALONE: &str = "SET lock_timeout = 0; SELECT pg_advisory_lock(7463)";
const OTHERS: &str = "SELECT pg_advisory_unlock(7463)";
/// Whether our role may do it; a superuser may everything.
pub(super) const MAY: &str = "SELECT has_function_privilege('pg_switch_wal()', 'execute')
    AND has_function_privilege('pg_ls_waldir()', 'execute')
    AND (current_setting('is_superuser') = 'on' OR EXISTS (
        SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint' AND pg_has_role(oid, 'usage')))";
/// Whether a checkpoint was made since, in a later file.
const IS_PAST: &str =
    "SELECT redo_wal_file > pg_walfile_name($1::text::pg_lsn) FROM pg_control_checkpoint()";
const KEPT: &str = "SELECT count(*) FROM pg_ls_waldir(), pg_control_checkpoint()
    WHERE name ~ '^[0-9A-F]{24}$' AND name < redo_wal_file";

/// Makes the server remove the files of its log that hold what was written before a place in it.
pub(super) async fn move_on(own: &mut PgConnection, end: &str) -> anyhow::Result<()> {
    if !scalar::<bool>(own, MAY).await? {
        tracing::warn!(
            "PostgreSQL's write-ahead log keeps deleted rows until the server moves on by itself: see what was said at the start"
        );
        return Ok(());
    }
    execute(own, ALONE.to_owned()).await?;
    if !is_past(own, end).await? {
        execute(own, "SELECT pg_switch_wal()".to_owned()).await?;
        execute(own, "CHECKPOINT".to_owned()).await?;
    }
    execute(own, OTHERS.to_owned()).await?;
    ensure!(
        is_past(own, end).await?,
        "the checkpoint did not move the write-ahead log on"
    );
    let kept: i64 = scalar(own, KEPT).await?;
    ensure!(
        kept == 0,
        "PostgreSQL keeps {kept} old files of its write-ahead log: for a replication slot or standby, an archive, or wal_keep_size"
    );
    Ok(())
}

async fn is_past(own: &mut PgConnection, end: &str) -> Result<bool, DatabaseError> {
    let asked = sqlx::query_scalar(IS_PAST).bind(end).fetch_one(own);
    Ok(asked.await?)
}
