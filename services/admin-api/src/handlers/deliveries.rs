//! What became of the events that each service was offered.

use axum::extract::State;
use chassis::audit::{Audit, Findings};
use chassis::deliveries::{Counts, HowMany, Parked, Place, Status, Which};
use chassis::http::{Json, List, PageRequest, Path, Problem, Query};
use chassis::rpc::ask_service;
use chrono::{DateTime, Utc};
use envelope::{READERS, Reader};
use futures::future::{join, join_all};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::guard::Admin;

/// A service, and where the events are that it reads.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceView {
    /// The service.
    service: &'static str,
    /// How it reads: `projection` or `effect`.
    reading: &'static str,
    /// Whether it answers.
    answers: bool,
    /// One entry per stream; empty while it does not answer.
    streams: Vec<Counts>,
    /// How it stands with the events that it sent itself; none from a service without a database.
    audit: Option<Findings>,
}

/// An event that is not completed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedView {
    /// Names it: its service and place.
    id: String,
    /// What kind of event it is, without its key.
    event: String,
    /// Its id, if it can be read.
    event_id: Option<Uuid>,
    /// How it stands with it.
    status: Status,
    /// Why, as a stable word; empty while it only waits behind another.
    reason: String,
    /// Why, in words.
    detail: String,
    /// The same for all that failed in the same way.
    fingerprint: String,
    /// How often it was tried.
    attempts: i64,
    /// How many events of its key wait behind it.
    behind: i64,
    /// When it is tried again.
    due_at: Option<DateTime<Utc>>,
    /// Since when it is put aside.
    parked_at: DateTime<Utc>,
}

/// Which part of the events is wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedQuery {
    /// With this status only: `UNPROCESSED`, `ERROR`, `RETRY` or `FAILED`.
    #[param(inline)]
    status: Option<Status>,
    /// At most so many, 1 to 100; 20 if it is missing.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// From the answer before.
    cursor: Option<String>,
}

/// How many events are where, for each service and stream.
#[utoipa::path(
    get, path = "/api/v1/admin/deliveries", operation_id = "list_deliveries", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "All services that read events", body = List<ServiceView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
) -> Result<Json<List<ServiceView>>, Error> {
    let views = READERS.iter().map(|reader| view(&app, reader));
    Ok(Json(List::whole(join_all(views).await)))
}

async fn view(app: &App, reader: &Reader) -> ServiceView {
    let counts = ask_service(&app.bus, reader.service, &HowMany {});
    let audit = ask_service(&app.bus, reader.service, &Audit {});
    let (counts, audit) = join(counts, audit).await;
    ServiceView {
        service: reader.service,
        reading: reader.reading.as_str(),
        answers: counts.is_ok(),
        streams: counts.unwrap_or_default(),
        audit: audit.ok(),
    }
}

/// The events of a service that are put aside, by place: they wait, are tried again, or failed.
#[utoipa::path(
    get, path = "/api/v1/admin/deliveries/{service}", operation_id = "list_parked_events", tag = "admin", security(("bearer" = [])),
    params(("service" = String, Path, description = "The service: `statistics`."), ParkedQuery),
    responses(
        (status = 200, description = "A part of the events", body = List<ParkedView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no service of this name reads events", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad status, limit or cursor", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn parked(
    _: Admin,
    State(app): State<App>,
    Path(service): Path<String>,
    Query(query): Query<ParkedQuery>,
) -> Result<Json<List<ParkedView>>, Error> {
    let reader = envelope::reader(&service).ok_or_else(Problem::not_found)?;
    let page = PageRequest::<Place>::new(query.limit, query.cursor.as_deref())?;
    let question = Which {
        status: query.status,
        after: page.after.clone(),
        limit: page.rows_to_read(),
    };
    let found = ask_service(&app.bus, reader.service, &question).await?;
    let views = found
        .into_iter()
        .map(|parked| (parked.place.clone(), parked_view(reader.service, parked)));
    let part = page.list(views.collect(), |(place, _)| place.to_string());
    Ok(Json(List {
        items: part.items.into_iter().map(|(_, view)| view).collect(),
        next_cursor: part.next_cursor,
    }))
}

fn parked_view(service: &str, parked: Parked) -> ParkedView {
    ParkedView {
        id: format!("{service}:{}", parked.place),
        event: parked.event,
        event_id: parked.event_id,
        status: parked.status,
        reason: parked.reason,
        detail: parked.detail,
        fingerprint: parked.fingerprint,
        attempts: parked.attempts,
        behind: parked.behind,
        due_at: parked.due_at.and_then(DateTime::from_timestamp_micros),
        parked_at: DateTime::from_timestamp_micros(parked.parked_at).unwrap_or_default(),
    }
}
