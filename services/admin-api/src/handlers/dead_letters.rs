//! Events that consumers gave up.

use axum::extract::State;
use chassis::deliveries::Parked;
use chassis::http::{Json, List, ListQuery, PageRequest, Problem, Query};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::failed::{self, Id};
use crate::guard::Admin;

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
