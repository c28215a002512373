//! Exports: asking for one, and fetching its archive by the request's secret id.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chassis::http::{Json, Path, Problem};
use chassis::keys::{PurposeKey, Unsealable};
use chassis::sealed_file::SealedReader;
use clients::{Caller, Proven};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::App;
use crate::erasure::request_hash;
use crate::error::Error;
use crate::export::{self, State as Progress};
use crate::exporter::key_place;
use crate::store::exports::{self, Export};

const ARCHIVE: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_TYPE, "application/zip"),
    (
        header::CONTENT_DISPOSITION,
        "attachment; filename=\"dipper-export.zip\"",
    ),
];

/// A request that was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Requested {
    /// The secret id of the request: 32 hexadecimal digits. Who has it may fetch the archive.
    request_id: String,
    /// Where to see how far it has come.
    status_url: String,
}

/// Asks for an archive of everything that is kept about the caller. Asking again before it is ready
/// is asking once; a newer archive takes the place of an older one.
#[utoipa::path(
    post, path = "/api/v1/gdpr/export", tag = "gdpr",
    responses(
        (status = 202, description = "It is being written", body = Requested),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn create(
    State(app): State<App>,
    Proven(caller): Proven<Caller>,
) -> Result<(StatusCode, Json<Requested>), Error> {
    let request_id = export::open(&app, caller.user).await?;
    let status_url = status_url(&request_id);
    let requested = Requested {
        request_id,
        status_url,
    };
    Ok((StatusCode::ACCEPTED, Json(requested)))
}

/// Where a request's status is.
fn status_url(request_id: &str) -> String {
    format!("/api/v1/gdpr/requests/{request_id}")
}

/// Where a request's archive is.
pub(super) fn download_url(request_id: &str) -> String {
    format!("{}/download", status_url(request_id))
}

/// The archive.
#[utoipa::path(
    get, path = "/api/v1/gdpr/requests/{request_id}/download", tag = "gdpr",
    params(("request_id" = String, Path, description = "The secret id that the request was answered with: 32 hexadecimal digits")),
    responses(
        (status = 200, description = "The archive: a zip with JSON, CSV and photos", body = Vec<u8>, content_type = "application/zip"),
        (status = 404, description = "There is no such request for an export", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not ready yet", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was kept for its time, or a newer one or an erasure has ended it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn download(
    State(app): State<App>,
    Path(request_id): Path<String>,
) -> Result<Response, Error> {
    let mut session = app.database.read().await?;
    let export = exports::by_request(&mut session, &request_hash(&request_id)).await?;
    drop(session);
    let export = export.ok_or(Error::UnknownRequest)?;
    match export.state(app.clock.micros())? {
        Progress::Planned | Progress::Exporting => return Err(Error::NotReady),
        Progress::Expired => return Err(Error::Erased),
        Progress::Ready => {}
    }
    let length = export.bytes.unwrap_or_default();
    let archive = archive(&app, &export).await?;
    Ok((ARCHIVE, [(header::CONTENT_LENGTH, length)], archive).into_response())
}

/// The archive's bytes. Its first part is opened beforehand, so that what cannot be is an error.
async fn archive(app: &App, export: &Export) -> Result<Body, Error> {
    let (Some(attempt), Some(sealed)) = (export.attempt, &export.key_sealed) else {
        return Err(Error::Erased);
    };
    let key = app.export_key.open(&key_place(export.id), sealed)?;
    let key = <[u8; 32]>::try_from(key).map_err(|_| Unsealable)?;
    let reader = app
        .exports
        .read(attempt, PurposeKey::from_bytes(key))
        .await?;
    let Some((first, reader)) = next(reader).await? else {
        return Err(Error::NotReady);
    };
    let rest = stream::try_unfold(reader, next);
    let parts = stream::once(async { Ok(first) }).chain(rest);
    Ok(Body::from_stream(parts))
}

async fn next(mut reader: SealedReader) -> std::io::Result<Option<(Vec<u8>, SealedReader)>> {
    spawn_blocking(move || {
        let chunk = reader.next_chunk()?;
        Ok(chunk.map(|chunk| (chunk, reader)))
    })
    .await?
}
