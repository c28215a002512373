//! Exports: a person is given all that is kept about them, as an archive.
//!
//! `planned` (asked for) -> `exporting` (a process is gathering and writing) -> `ready` (it can be
//! fetched) -> `expired` (too old, replaced by a newer one, or its person is erased).

mod catalogue;
mod events;
pub(crate) mod folder;
mod gather;
mod letters;

use std::str::FromStr;

use chassis::clock::micros;
use chassis::database::DatabaseError;
use chassis::unit_of_work::Work;
use chrono::{DateTime, Utc};
use clients::user::ExportProgress;
use envelope::{EventId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::erasure::{request_hash, request_id};
use crate::error::Error;
use crate::progress::due_at;
use crate::store::exports::{self, NewExport};

pub(crate) use gather::document;

/// The longest list.
const MOST: i64 = 200;

/// How far an export has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportState)]
pub(crate) enum State {
    /// Asked for.
    Planned,
    /// The data is being gathered and the archive written.
    Exporting,
    /// The archive can be fetched.
    Ready,
    /// The archive is gone.
    Expired,
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "planned" => Ok(Self::Planned),
            "exporting" => Ok(Self::Exporting),
            "ready" => Ok(Self::Ready),
            "expired" => Ok(Self::Expired),
            _ => Err(()),
        }
    }
}

impl State {
    /// As it is written in the database.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Exporting => "exporting",
            Self::Ready => "ready",
            Self::Expired => "expired",
        }
    }
}

/// The requests that are still known, the newest first.
pub(crate) async fn list(app: &App) -> Result<Vec<ExportProgress>, Error> {
    let mut session = app.database.read().await?;
    let now = app.clock.micros();
    let all = exports::newest(&mut session, MOST).await?;
    let views = all.into_iter().map(|one| {
        let requested_at = time(one.requested_at)?;
        Ok(ExportProgress {
            request: one.id,
            state: one.state(now)?.as_str().to_owned(),
            requested_at,
            due_at: due_at(requested_at),
            expires_at: time(one.expires_at)?,
        })
    });
    views.collect()
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("a time of an export"))
}

/// Opens a request and answers its secret id; asking again before it is ready is asking once.
pub(crate) async fn open(app: &App, user: UserId) -> Result<String, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    if exports::open_of_user(&mut work, user.0).await?.is_none() {
        insert(app, &mut work, user).await?;
    }
    // When two ask at the same moment, the first one's request is the answer to both.
    let open = exports::open_of_user(&mut work, user.0).await?;
    work.commit().await?;
    app.wake_exporter.notify_one();
    let open = open.ok_or(Error::Erased)?;
    Ok(secret_id(app, open))
}

async fn insert(app: &App, work: &mut Work, user: UserId) -> Result<(), Error> {
    let (id, now) = (work.clock().random_id(), work.clock().micros());
    let new = NewExport {
        id,
        request_hash: request_hash(&secret_id(app, id)),
        user: user.0,
        requested_at: now,
        expires_at: now + micros(app.export_life),
    };
    Ok(exports::insert(work, &new).await?)
}

/// Follows from the request, so that it need not be kept.
fn secret_id(app: &App, export: Uuid) -> String {
    request_id(&app.request_key, EventId(export))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_written() {
        for (text, state) in [
            ("planned", State::Planned),
            ("exporting", State::Exporting),
            ("ready", State::Ready),
            ("expired", State::Expired),
        ] {
            assert_eq!(text.parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), text);
        }
    }
}
