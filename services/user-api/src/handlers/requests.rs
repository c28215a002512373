//! Requests for an erasure or an export as the requester sees them: by the request's secret id,
//! without an account, since that is what an erasure takes.

use axum::extract::State;
use axum::http::{HeaderName, header};
use chassis::database::DatabaseError;
use chassis::http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use clients::receipt::SignedReceipt;
use serde::Serialize;
use utoipa::ToSchema;

use super::exports::download_url;
use crate::App;
use crate::erasure::request_hash;
use crate::error::Error;
use crate::export;
use crate::progress::{ServiceState, State as Progress, due_at};
use crate::receipts;
use crate::scan::stores::Sight;
use crate::store::erasures::{self, Erasure, ServiceRow};
use crate::store::exports::{self, Export};

/// How far a request has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestStatus {
    /// What was asked for.
    kind: Kind,
    /// How far it has come.
    state: RequestState,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    due_at: DateTime<Utc>,
    /// What each service that holds personal data said, once it was asked.
    services: Vec<ServiceStatus>,
    /// Why it takes longer than a month, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_reason: Option<String>,
    /// In which stores an erased person is still found; it is looked again until there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found_in: Vec<String>,
    /// What it waits for that somebody has to see to.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<&'static str>,
    /// What was done, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<SignedReceipt>,
    /// Where an export's archive is, once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    download_url: Option<String>,
    /// Until when an export's archive is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// How far a request of its kind has come.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum RequestState {
    /// To be forgotten.
    Erasure(Progress),
    /// To be given one's data.
    Export(export::State),
}

/// What can be asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RequestKind)]
enum Kind {
    /// To be forgotten.
    Erasure,
    /// To be given one's data.
    Export,
}

/// A service that holds personal data.
#[derive(Serialize, ToSchema)]
struct ServiceStatus {
    /// The service.
    name: String,
    /// Whether it is done.
    state: ServiceState,
}

/// How far a request for an erasure or an export has come.
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
    let status = find(&app, &request_id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(status)))
}

async fn find(app: &App, request_id: &str) -> Result<RequestStatus, Error> {
    let hash = request_hash(request_id);
    let mut session = app.database.read().await?;
    if let Some(export) = exports::by_request(&mut session, &hash).await? {
        let state = export.state(app.clock.micros())?;
        return Ok(RequestStatus::of_export(&export, state, request_id)?);
    }
    let erasure = erasures::by_request(&mut session, &hash).await?;
    let erasure = erasure.ok_or(Error::UnknownRequest)?;
    let services = erasures::services(&mut session, erasure.event_id).await?;
    let receipt = receipts::of(app, &hash, &erasure, &services)?;
    let mut status = RequestStatus::of_erasure(&erasure, &services, receipt)?;
    if erasure.finished_at.is_none() {
        status.waiting_for = app.replicas.waited_for();
    }
    Ok(status)
}

impl RequestStatus {
    fn of_export(
        export: &Export,
        state: export::State,
        request_id: &str,
    ) -> Result<Self, DatabaseError> {
        let requested_at = time(export.requested_at)?;
        let is_ready = state == export::State::Ready;
        Ok(Self {
            kind: Kind::Export,
            state: RequestState::Export(state),
            requested_at,
            due_at: due_at(requested_at),
            services: Vec::new(),
            extension_reason: None,
            found_in: Vec::new(),
            waiting_for: None,
            receipt: None,
            download_url: is_ready.then(|| download_url(request_id)),
            expires_at: is_ready.then(|| time(export.expires_at)).transpose()?,
        })
    }

    fn of_erasure(
        erasure: &Erasure,
        rows: &[ServiceRow],
        receipt: Option<SignedReceipt>,
    ) -> Result<Self, DatabaseError> {
        let services = rows.iter().map(service_status);
        Ok(Self {
            kind: Kind::Erasure,
            state: RequestState::Erasure(erasures::parse_state(&erasure.state)?),
            requested_at: time(erasure.requested_at)?,
            due_at: time(erasure.due_at)?,
            services: services.collect::<Result<_, _>>()?,
            extension_reason: erasure.extension_reason.clone(),
            found_in: Sight::read(erasure.scan.as_deref())?
                .map_or_else(Vec::new, Sight::into_stores),
            waiting_for: None,
            receipt,
            download_url: None,
            expires_at: None,
        })
    }
}

fn service_status(row: &ServiceRow) -> Result<ServiceStatus, DatabaseError> {
    Ok(ServiceStatus {
        name: row.service.clone(),
        state: erasures::parse_service_state(&row.state)?,
    })
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("a time of a request"))
}
