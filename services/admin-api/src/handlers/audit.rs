//! The audit log.

use std::str::FromStr;

use axum::extract::State;
use chassis::database::DatabaseError;
use chassis::http::{Json, List, ListQuery, PageRequest, Problem, Query};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::guard::Admin;
use crate::store::{self, Entry};

/// A change, and why it was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Its id.
    id: Uuid,
    /// When it was made.
    time: DateTime<Utc>,
    /// What was done.
    action: String,
    /// To what.
    target: String,
    /// Why.
    reason: String,
}

/// The audit log, the newest entries first.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "admin", params(ListQuery), security(("bearer" = [])),
    responses(
        (status = 200, description = "A part of the audit log", body = List<AuditView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad limit or cursor", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<AuditView>>, Error> {
    let page = PageRequest::<Place>::new(query.limit, query.cursor.as_deref())?;
    let before = page.after.unwrap_or(Place::NEWEST);
    let mut session = app.database.read().await?;
    let entries = store::list(&mut session, (before.at, before.id), page.rows_to_read()).await?;
    let views: Result<Vec<_>, _> = entries.into_iter().map(view).collect();
    Ok(Json(page.list(views?, |view| Place::of(view).to_string())))
}

fn view(entry: Entry) -> Result<AuditView, DatabaseError> {
    let time = DateTime::from_timestamp_micros(entry.at);
    Ok(AuditView {
        id: entry.id,
        time: time.ok_or(DatabaseError::Damaged("audit.at"))?,
        action: entry.action,
        target: entry.target,
        reason: entry.reason,
    })
}

/// A place in the log, as a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: i64,
    id: Uuid,
}

impl Place {
    /// Before every entry.
    const NEWEST: Self = Self {
        at: i64::MAX,
        id: Uuid::max(),
    };

    fn of(view: &AuditView) -> Self {
        Self {
            at: view.time.timestamp_micros(),
            id: view.id,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        Ok(Self {
            at: at.parse().map_err(drop)?,
            id: id.parse().map_err(drop)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_place() {
        let place = Place {
            at: -5,
            id: Uuid::from_u128(7),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("7".parse::<Place>(), Err(()));
    }
}
