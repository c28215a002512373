//! The audit log.

use axum::extract::State;
use chassis::database::DatabaseError;
use chassis::http::{Cursor, Json, List, PageRequest, Problem, Query};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
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

/// Which part of the audit log is wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Only actions that begin like this: `user.`, `image.hide`.
    #[serde(default)]
    action: String,
    /// At most so many, 1 to 100; 20 if it is missing.
    limit: Option<i64>,
    /// From the answer before, with the same action.
    cursor: Option<String>,
}

/// The audit log, the newest entries first.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "admin", params(AuditQuery), security(("bearer" = [])),
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
    Query(query): Query<AuditQuery>,
) -> Result<Json<List<AuditView>>, Error> {
    let page = PageRequest::<Cursor<i64>>::new(query.limit, query.cursor.as_deref())?;
    let before = page.after.unwrap_or(Cursor::before_all(i64::MAX));
    let mut session = app.database.read().await?;
    let before = (before.key, before.id);
    let entries = store::list(&mut session, &query.action, before, page.rows_to_read()).await?;
    let views: Result<Vec<_>, _> = entries.into_iter().map(view).collect();
    Ok(Json(page.list(views?, cursor)))
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

fn cursor(view: &AuditView) -> String {
    let (key, id) = (view.time.timestamp_micros(), view.id);
    Cursor { key, id }.to_string()
}
