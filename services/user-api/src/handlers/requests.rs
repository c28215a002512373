//! Requests for an erasure or an export as the requester sees them: by the request's secret id,
//! without an account, since that is what an erasure takes.

use axum::extract::State;
use axum::http::{HeaderName, header};
use chassis::database::DatabaseError;
use chassis::http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use clients::receipt::{Receipt, ScanReceipt, ServiceReceipt, sign};
use serde::Serialize;
use utoipa::ToSchema;

use super::exports::download_url;
use crate::App;
use crate::erasure::request_hash;
use crate::error::Error;
use crate::export;
use crate::progress::{ServiceState, State as Progress, due_at};
use crate::scan::before::Control;
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

/// What was done, to read and to prove.
#[derive(Serialize, ToSchema)]
struct SignedReceipt {
    /// The receipt.
    #[serde(flatten)]
    receipt: Receipt,
    /// The same, signed: `dipper erase verify-receipt` tells whether it is genuine.
    jws: String,
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
    let receipt = signed(app, receipt(&hash, &erasure, &services)?)?;
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

/// What an erasure did, once it is done.
fn receipt(
    request_sha256: &str,
    erasure: &Erasure,
    rows: &[ServiceRow],
) -> Result<Option<Receipt>, DatabaseError> {
    let Some(finished_at) = erasure.finished_at else {
        return Ok(None);
    };
    let services = rows.iter().map(service_receipt);
    Ok(Some(Receipt {
        request_sha256: request_sha256.to_owned(),
        requested_at: time(erasure.requested_at)?,
        finished_at: time(finished_at)?,
        events_deleted: erasure.events_deleted,
        services: services.collect::<Result<_, _>>()?,
        scan: scan_receipt(erasure)?,
        backups_end_at: erasure.backups_end_at.map(time).transpose()?,
    }))
}

fn service_receipt(row: &ServiceRow) -> Result<ServiceReceipt, DatabaseError> {
    Ok(ServiceReceipt {
        name: row.service.clone(),
        rows: row.deleted,
        mails_under_way: row.mails_under_way()?,
    })
}

/// How the person was looked for, and how before.
fn scan_receipt(erasure: &Erasure) -> Result<Option<ScanReceipt>, DatabaseError> {
    let control = Control::read(erasure.control.as_deref())?;
    let missed_before = control.as_ref().map(|control| control.missed.clone());
    let sight = Sight::read(erasure.scan.as_deref())?;
    Ok(sight.map(|sight| ScanReceipt {
        stores: sight.stores,
        files: sight.files,
        bytes: sight.bytes,
        unread_files: sight.unread,
        found_before: control.map(|control| control.found),
        missed_before: missed_before.unwrap_or_default(),
        broker_lists_follow: sight.in_broker_index > 0,
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
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("a time of a request"))
}
