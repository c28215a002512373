//! Erasure requests as the requester sees them: by the request's secret id, without an account,
//! since that is what goes.

use axum::extract::State;
use axum::http::{HeaderName, header};
use chassis::database::DatabaseError;
use chassis::http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use clients::receipt::{Receipt, ServiceReceipt, sign};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::erasure::request_hash;
use crate::error::Error;
use crate::progress::{ServiceState, State as Progress};
use crate::store::erasures::{self, Erasure, ServiceRow};

/// How far a request has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestStatus {
    /// What was asked for.
    kind: Kind,
    /// How far it has come.
    state: Progress,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    due_at: DateTime<Utc>,
    /// What each service that holds personal data said, once it was asked.
    services: Vec<ServiceStatus>,
    /// What was done, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<SignedReceipt>,
}

/// What can be asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// To be forgotten.
    Erasure,
}

/// A service that holds personal data.
#[derive(Serialize, ToSchema)]
struct ServiceStatus {
    /// The service.
    name: String,
    /// Whether it is done.
    state: ServiceState,
}

/// What was done, to read and to prove.
#[derive(Serialize, ToSchema)]
struct SignedReceipt {
    /// The receipt.
    #[serde(flatten)]
    receipt: Receipt,
    /// The same, signed: `dipper erase verify-receipt` tells whether it is genuine.
    jws: String,
}

/// How far an erasure request has come.
#[utoipa::path(
    get, path = "/api/v1/gdpr/requests/{request_id}", tag = "gdpr",
    params(("request_id" = String, Path, description = "The secret id that the request was answered with: 32 hexadecimal digits")),
    responses(
        (status = 200, description = "How far it has come", body = RequestStatus),
        (status = 404, description = "There is no such request", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    Path(request_id): Path<String>,
) -> Result<([(HeaderName, &'static str); 1], Json<RequestStatus>), Error> {
    let mut session = app.database.read().await?;
    let hash = request_hash(&request_id);
    let erasure = erasures::by_request(&mut session, &hash).await?;
    let erasure = erasure.ok_or(Error::UnknownRequest)?;
    let services = erasures::services(&mut session, erasure.event_id).await?;
    let receipt = signed(&app, receipt(&hash, &erasure, &services)?)?;
    let status = RequestStatus::new(&erasure, &services, receipt)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(status)))
}

impl RequestStatus {
    fn new(
        erasure: &Erasure,
        rows: &[ServiceRow],
        receipt: Option<SignedReceipt>,
    ) -> Result<Self, DatabaseError> {
        let services = rows.iter().map(service_status);
        Ok(Self {
            kind: Kind::Erasure,
            state: erasures::parse_state(&erasure.state)?,
            requested_at: time(erasure.requested_at)?,
            due_at: time(erasure.due_at)?,
            services: services.collect::<Result<_, _>>()?,
            receipt,
        })
    }
}

fn service_status(row: &ServiceRow) -> Result<ServiceStatus, DatabaseError> {
    Ok(ServiceStatus {
        name: row.service.clone(),
        state: erasures::parse_service_state(&row.state)?,
    })
}

/// What an erasure did, once it is done.
fn receipt(
    request_sha256: &str,
    erasure: &Erasure,
    rows: &[ServiceRow],
) -> Result<Option<Receipt>, DatabaseError> {
    let Some(finished_at) = erasure.finished_at else {
        return Ok(None);
    };
    let services = rows.iter().map(|row| ServiceReceipt {
        name: row.service.clone(),
        rows: row.deleted,
    });
    Ok(Some(Receipt {
        request_sha256: request_sha256.to_owned(),
        requested_at: time(erasure.requested_at)?,
        finished_at: time(finished_at)?,
        events_deleted: erasure.events_deleted,
        services: services.collect(),
    }))
}

fn signed(app: &App, receipt: Option<Receipt>) -> Result<Option<SignedReceipt>, Error> {
    let Some(receipt) = receipt else {
        return Ok(None);
    };
    let jws = sign(&receipt, &app.keys).map_err(Error::Unsigned)?;
    Ok(Some(SignedReceipt { receipt, jws }))
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("a time of an erasure"))
}
