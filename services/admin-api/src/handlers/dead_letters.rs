//! Events that consumers gave up, and what is in them.

use axum::extract::State;
use chassis::deliveries::{Inspect, Inspected, Parked, Status};
use chassis::http::{Json, List, ListQuery, PageRequest, Path, Problem, Query};
use chassis::rpc::ask_service;
use chrono::{DateTime, Utc};
use clients::Proven;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::erasures::Because;
use crate::App;
use crate::audit::{self, LETTER_UNMASKED};
use crate::error::Error;
use crate::failed::{self, Id};
use crate::guard::Admin;
use crate::masking::masked;

/// An event that a consumer gave up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// Names it in decisions.
    id: String,
    /// What kind of event it was, without its key.
    origin_subject: String,
    /// Who gave it up.
    consumer: String,
    /// Why, as a stable word.
    reason: String,
    /// Why, in words.
    detail: String,
    /// The same for all that failed in the same way.
    fingerprint: String,
    /// How often it was tried.
    attempts: i64,
    /// How many events of its key wait behind it.
    behind: i64,
    /// The stream it came from.
    origin_stream: String,
    /// Its sequence there.
    origin_sequence: i64,
    /// When it was first put aside.
    died_at: DateTime<Utc>,
}

/// A dead letter, and what it holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct LetterView {
    #[serde(flatten)]
    letter: DeadLetter,
    /// How many bytes its body has.
    bytes: usize,
    /// Whether its personal fields are masked.
    is_masked: bool,
    /// Its body; null if it cannot be read.
    #[schema(required)]
    body: Option<Value>,
    /// Why it cannot be read.
    #[schema(required)]
    unreadable: Option<&'static str>,
}

/// How personal fields are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    Masked,
    Shown,
}

/// Dead letters that nobody has decided about, by consumer and place.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letters", tag = "admin", params(ListQuery), security(("bearer" = [])),
    responses(
        (status = 200, description = "A part of the dead letters", body = List<DeadLetter>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad limit or cursor", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "A service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<DeadLetter>>, Error> {
    let page = PageRequest::<Id>::new(query.limit, query.cursor.as_deref())?;
    let limit = usize::try_from(page.rows_to_read()).unwrap_or_default();
    let found = failed::list(&app.bus, page.after.as_ref(), limit).await?;
    let letters = found.into_iter().map(|(id, parked)| letter(&id, parked));
    Ok(Json(
        page.list(letters.collect(), |letter| letter.id.clone()),
    ))
}

/// A dead letter and what it holds, with all personal fields masked.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letters/{id}", operation_id = "show_dead_letter", tag = "admin", security(("bearer" = [])),
    params(("id" = String, Path, description = "The dead letter: `statistics:RATE.1763000000000000.17`.")),
    responses(
        (status = 200, description = "The dead letter", body = LetterView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such dead letter", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Its service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    _: Admin,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<LetterView>, Error> {
    let (id, inspected) = inspect(&app, &id).await?;
    Ok(Json(view(&id, inspected, Fields::Masked)))
}

/// A dead letter and all that it holds. Looking is recorded in the audit log before the answer is given.
#[utoipa::path(
    post, path = "/api/v1/admin/dead-letters/{id}/unmasking", operation_id = "unmask_dead_letter", tag = "admin", security(("bearer" = [])),
    params(("id" = String, Path, description = "The dead letter: `statistics:RATE.1763000000000000.17`.")), request_body = Because,
    responses(
        (status = 200, description = "The dead letter", body = LetterView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such dead letter", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Its service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unmask(
    Proven(Admin(by)): Proven<Admin>,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(because): Json<Because>,
) -> Result<Json<LetterView>, Error> {
    let reason = because.parse()?;
    let (id, inspected) = inspect(&app, &id).await?;
    let target = format!("dead-letter/{id}");
    audit::tell(&app, by, (LETTER_UNMASKED, target), reason).await?;
    Ok(Json(view(&id, inspected, Fields::Shown)))
}

async fn inspect(app: &App, id: &str) -> Result<(Id, Inspected), Error> {
    let id: Id = id.parse().map_err(|()| Problem::not_found())?;
    let question = Inspect {
        place: id.place.clone(),
    };
    let found = ask_service(&app.bus, id.service, &question).await?;
    let found = found.filter(|found| found.parked.status == Status::Failed);
    Ok((id, found.ok_or_else(Problem::not_found)?))
}

fn view(id: &Id, inspected: Inspected, fields: Fields) -> LetterView {
    let (body, unreadable) = match read(&inspected) {
        Ok(body) => (Some(body), None),
        Err(why) => (None, Some(why)),
    };
    LetterView {
        bytes: inspected.bytes,
        is_masked: fields == Fields::Masked,
        body: body.map(|body| match fields {
            Fields::Masked => masked(&inspected.parked.event, &body),
            Fields::Shown => body,
        }),
        unreadable,
        letter: letter(id, inspected.parked),
    }
}

/// The body, or why nothing of it can be shown.
fn read(inspected: &Inspected) -> Result<Value, &'static str> {
    let text = inspected.text.as_deref();
    let text = text.ok_or("It is larger than an event may be, or no text.")?;
    serde_json::from_str(text).map_err(|_| "It is no JSON.")
}

fn letter(id: &Id, parked: Parked) -> DeadLetter {
    DeadLetter {
        id: id.to_string(),
        origin_subject: parked.event,
        consumer: id.service.to_owned(),
        reason: parked.reason,
        detail: parked.detail,
        fingerprint: parked.fingerprint,
        attempts: parked.attempts,
        behind: parked.behind,
        origin_stream: parked.place.stream,
        origin_sequence: parked.place.sequence,
        died_at: DateTime::from_timestamp_micros(parked.parked_at).unwrap_or_default(),
    }
}
