//! Requests to be given one's data.

use axum::extract::State;
use chassis::http::{Json, List, Problem};
use chassis::rpc::ask;
use chrono::{DateTime, Utc};
use clients::user::{ExportProgress, ListExports};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::guard::Admin;

/// A request for an export. It does not say whose.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportView {
    /// Its number: not the secret id that the requester has.
    id: Uuid,
    /// How far it is: `planned`, `exporting`, `ready` or `expired`.
    state: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    due_at: DateTime<Utc>,
    /// Until when its archive is kept, or a request that gets none is given up.
    expires_at: DateTime<Utc>,
}

/// The last two hundred requests for an export, the newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/gdpr/exports", operation_id = "list_exports", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The requests", body = List<ExportView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
) -> Result<Json<List<ExportView>>, Error> {
    let exports = ask(&app.bus, &ListExports {}).await?;
    Ok(Json(List::whole(
        exports.into_iter().map(ExportView::from).collect(),
    )))
}

impl From<ExportProgress> for ExportView {
    fn from(export: ExportProgress) -> Self {
        Self {
            id: export.request,
            state: export.state,
            requested_at: export.requested_at,
            due_at: export.due_at,
            expires_at: export.expires_at,
        }
    }
}
