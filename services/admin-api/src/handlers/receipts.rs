//! Erasures that are done, and their signed receipts.

use axum::extract::State;
use chassis::http::{Json, List, Path, Problem};
use chassis::rpc::ask;
use chrono::{DateTime, Utc};
use clients::receipt::SignedReceipt;
use clients::user::{ErasureDone, ListReceipts, ShowReceipt};
use envelope::EventId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::erasures::{Because, target, unknown};
use crate::App;
use crate::audit::{self, RECEIPT_TAKEN};
use crate::error::Error;
use crate::guard::Admin;

/// An erasure that is done. It does not say whose it was.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErasureDoneView {
    /// Its number: not the secret id that the requester has.
    id: Uuid,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// The day by which the law wanted it done.
    due_at: DateTime<Utc>,
    /// When it was done.
    finished_at: DateTime<Utc>,
    /// When no backup is left that may hold anything of it.
    #[schema(required)]
    backups_end_at: Option<DateTime<Utc>>,
}

/// The receipt of an erasure, as its requester has it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiptView {
    /// What was done.
    receipt: SignedReceipt,
}

/// The last two hundred erasures that are done, the newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/gdpr/receipts", operation_id = "list_receipts", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The erasures", body = List<ErasureDoneView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
) -> Result<Json<List<ErasureDoneView>>, Error> {
    let done = ask(&app.bus, &ListReceipts {}).await?;
    Ok(Json(List::whole(
        done.into_iter().map(ErasureDoneView::from).collect(),
    )))
}

/// The signed receipt of an erasure. Taking it is recorded in the audit log before the answer is given.
#[utoipa::path(
    post, path = "/api/v1/admin/gdpr/receipts/{id}", operation_id = "show_receipt", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The erasure's number")), request_body = Because,
    responses(
        (status = 200, description = "The receipt; `dipper erase verify-receipt` takes it as it is", body = ReceiptView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such erasure that is done", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "UserAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    Admin(by): Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<Json<ReceiptView>, Error> {
    let reason = because.parse()?;
    let request = EventId(id);
    let asked = ask(&app.bus, &ShowReceipt { request }).await;
    let (receipt, jws) = asked.map_err(unknown)?;
    audit::tell(&app, by, (RECEIPT_TAKEN, target(id)), reason).await?;
    let receipt = SignedReceipt { receipt, jws };
    Ok(Json(ReceiptView { receipt }))
}

impl From<ErasureDone> for ErasureDoneView {
    fn from(done: ErasureDone) -> Self {
        Self {
            id: done.request.0,
            requested_at: done.requested_at,
            due_at: done.due_at,
            finished_at: done.finished_at,
            backups_end_at: done.backups_end_at,
        }
    }
}
