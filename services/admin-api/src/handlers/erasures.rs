//! Requests to be erased that are not done: who is late, more time, another try.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Path, Problem};
use chassis::rpc::{AskError, ask};
use chrono::{DateTime, Utc};
use clients::Proven;
use clients::user::{ErasureProgress, ExtendErasure, ListErasures, RetryErasure};
use envelope::EventId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::audit::{self, ERASURE_EXTENDED, ERASURE_RETRIED, Reason};
use crate::error::Error;
use crate::guard::Admin;

/// Requests that are not done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erasures {
    /// The most urgent first.
    items: Vec<ErasureView>,
}

/// A request to be erased. It does not say whose.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenErasure)]
pub(crate) struct ErasureView {
    /// Its number: not the secret id that the requester has.
    id: Uuid,
    /// How far it is.
    state: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    due_at: DateTime<Utc>,
    /// How much of the time is used, in percent.
    percent_used: i64,
    /// Why it has more time, if it has.
    extension_reason: Option<String>,
    /// The services that have not deleted what they hold.
    waiting_for: Vec<String>,
    /// The stores in which the person is still found.
    found_in: Vec<String>,
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Because {
    /// Why; it is kept in the audit log, and whoever asked for the erasure is told why it takes
    /// longer. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Requests to be erased that are not done.
#[utoipa::path(
    get, path = "/api/v1/admin/gdpr/requests", operation_id = "list_open_erasures", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The requests", body = Erasures),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(_: Admin, State(app): State<App>) -> Result<Json<Erasures>, Error> {
    let open = ask(&app.bus, &ListErasures {}).await?;
    let items = open.into_iter().map(ErasureView::from).collect();
    Ok(Json(Erasures { items }))
}

/// Give a request two more months, once: its requester is told why.
#[utoipa::path(
    post, path = "/api/v1/admin/gdpr/requests/{id}/extension", operation_id = "extend_erasure", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request's number")), request_body = Because,
    responses(
        (status = 204, description = "It has more time"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such open request that was not extended before", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extend(
    Proven(Admin(by)): Proven<Admin>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<StatusCode, Error> {
    let reason = because.parse()?;
    let question = ExtendErasure {
        request: EventId(id),
        reason: reason.clone(),
    };
    ask(&app.bus, &question).await.map_err(unknown)?;
    audit::tell(&app, by, (ERASURE_EXTENDED, target(id)), reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Have a request taken up at once, instead of at its next turn.
#[utoipa::path(
    post, path = "/api/v1/admin/gdpr/requests/{id}/retry", operation_id = "retry_erasure", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request's number")), request_body = Because,
    responses(
        (status = 204, description = "It is taken up"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such open request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn retry(
    Admin(by): Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<StatusCode, Error> {
    let reason = because.parse()?;
    let request = EventId(id);
    ask(&app.bus, &RetryErasure { request })
        .await
        .map_err(unknown)?;
    audit::tell(&app, by, (ERASURE_RETRIED, target(id)), reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Because {
    /// The words, checked.
    pub(super) fn parse(&self) -> Result<String, Problem> {
        let reason = Reason::parse(&self.reason);
        let reason = reason.map_err(|detail| Problem::field("/reason", detail))?;
        Ok(reason.into_string())
    }
}

impl From<ErasureProgress> for ErasureView {
    fn from(open: ErasureProgress) -> Self {
        Self {
            id: open.request.0,
            state: open.state,
            requested_at: open.requested_at,
            due_at: open.due_at,
            percent_used: open.percent_used,
            extension_reason: open.extension_reason,
            waiting_for: open.waiting_for,
            found_in: open.found_in,
        }
    }
}

pub(super) fn target(request: Uuid) -> String {
    format!("erasure/{request}")
}

pub(super) fn unknown(error: AskError) -> Error {
    match error.refusal() {
        Some("unknown-request") => Error::NoSuchRequest,
        _ => error.into(),
    }
}
