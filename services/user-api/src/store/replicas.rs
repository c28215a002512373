//! Servers of the broker that may have missed that events were overwritten.

use std::collections::BTreeSet;

use chassis::database::{DatabaseError, Session};
use chassis::sql;

/// No server has this name.
const BEGUN: &str = "";
const BEGIN: &str = "INSERT INTO missed (server, since) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const MISS: &str = "INSERT INTO missed (server, since)
    SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM missed WHERE server = $3) ON CONFLICT DO NOTHING";
const ALL: &str = "SELECT server FROM missed";
const FORGET: &str = "DELETE FROM missed WHERE server = $1";

/// What is noted.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Events are being overwritten.
    pub has_begun: bool,
    /// The servers that were away meanwhile.
    pub servers: BTreeSet<String>,
}

/// Reads it.
pub(crate) async fn noted(session: &mut Session) -> Result<Noted, DatabaseError> {
    let all: Vec<String> = sql!(session, c => sqlx::query_scalar(ALL).fetch_all(c).await)?;
    let mut servers: BTreeSet<String> = all.into_iter().collect();
    Ok(Noted {
        has_begun: servers.remove(BEGUN),
        servers,
    })
}

/// Events are being overwritten from now on.
pub(crate) async fn begin(session: &mut Session, now: i64) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(BEGIN).bind(BEGUN).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// A server is away; that matters only while events are being overwritten.
pub(crate) async fn miss(
    session: &mut Session,
    server: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(MISS).bind(server).bind(now).bind(BEGUN).execute(c).await.map(drop))?;
    Ok(())
}

/// A server's copies were made anew.
pub(crate) async fn forget(session: &mut Session, server: &str) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET).bind(server).execute(c).await.map(drop))?;
    Ok(())
}

/// All have seen what was overwritten.
pub(crate) async fn end(session: &mut Session) -> Result<(), DatabaseError> {
    forget(session, BEGUN).await
}
