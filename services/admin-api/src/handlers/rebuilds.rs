//! A service's database built anew from the streams, beside the live one.

use axum::extract::State as AppState;
use axum::http::StatusCode;
use chassis::http::{Json, Path, Problem};
use chassis::rebuild::{
    ALREADY_RUNNING, Cancel, Progress, Rebuild, Show, Start, State, Switch, TableCompared,
};
use chassis::rpc::{AskError, ask_service};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::audit::{self, CANCELLED, REBUILD_CANCELLED, REBUILD_STARTED, Reason};
use crate::error::Error;
use crate::guard::Admin;

/// What to build anew, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRebuild {
    /// When it takes the live one's place; `if-equal` if it is missing.
    #[serde(default)]
    switch: Switch,
    /// How many events it may read in a second; as many as it can if it is missing.
    #[schema(minimum = 1)]
    events_per_second: Option<u32>,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A rebuild: how far it is, and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Rebuild)]
pub(crate) struct RebuildView {
    /// Its id.
    id: Uuid,
    /// When it takes the live one's place.
    switch: Switch,
    /// How many events it may read in a second.
    events_per_second: Option<u32>,
    /// How it stands.
    state: State,
    /// Whether all tables were equal; null before they are compared.
    is_equal: Option<bool>,
    /// How far it is.
    progress: Progress,
    /// When it was asked for.
    started_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

/// Builds a service's database anew from the streams, beside the live one.
#[utoipa::path(
    post, path = "/api/v1/admin/projections/{service}/rebuilds", operation_id = "start_rebuild", tag = "admin", security(("bearer" = [])),
    params(("service" = String, Path, description = "The service: `statistics`.")), request_body = NewRebuild,
    responses(
        (status = 202, description = "It begins", body = RebuildView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no service of this name reads events", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another one runs, or the service also keeps what no stream tells", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The admin was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    Admin(by): Admin,
    AppState(app): AppState<App>,
    Path(service): Path<String>,
    Json(new): Json<NewRebuild>,
) -> Result<(StatusCode, Json<RebuildView>), Error> {
    let service = derived(&service)?;
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    if new.events_per_second == Some(0) {
        return Err(Problem::field("/events_per_second", "must be 1 or more").into());
    }
    let question = Start {
        switch: new.switch,
        events_per_second: new.events_per_second,
    };
    let started = ask_service(&app.bus, service, &question).await;
    let rebuild = started.map_err(running)?;
    let target = format!("projection/{service}");
    audit::tell(&app, by, (REBUILD_STARTED, target), reason.into_string()).await?;
    Ok((StatusCode::ACCEPTED, Json(view(rebuild))))
}

/// The newest rebuild of a service.
#[utoipa::path(
    get, path = "/api/v1/admin/projections/{service}/rebuilds", operation_id = "show_rebuild", tag = "admin", security(("bearer" = [])),
    params(("service" = String, Path, description = "The service: `statistics`.")),
    responses(
        (status = 200, description = "The newest rebuild", body = RebuildView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, no service of this name, or it was never rebuilt", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The service also keeps what no stream tells", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    _: Admin,
    AppState(app): AppState<App>,
    Path(service): Path<String>,
) -> Result<Json<RebuildView>, Error> {
    let service = derived(&service)?;
    let newest = ask_service(&app.bus, service, &Show {}).await?;
    Ok(Json(view(newest.ok_or_else(Problem::not_found)?)))
}

/// Ends a rebuild that runs; the live database stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/admin/projections/{service}/rebuilds", operation_id = "cancel_rebuild", tag = "admin", security(("bearer" = [])),
    params(("service" = String, Path, description = "The service: `statistics`.")),
    responses(
        (status = 204, description = "It ends"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, no service of this name, or none runs", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The service also keeps what no stream tells", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The admin was erased", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    Admin(by): Admin,
    AppState(app): AppState<App>,
    Path(service): Path<String>,
) -> Result<StatusCode, Error> {
    let service = derived(&service)?;
    if !ask_service(&app.bus, service, &Cancel {}).await? {
        return Err(Problem::not_found().into());
    }
    let target = format!("projection/{service}");
    audit::tell(&app, by, (REBUILD_CANCELLED, target), CANCELLED.to_owned()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A service whose database can be built anew.
fn derived(service: &str) -> Result<&'static str, Error> {
    let reader = envelope::reader(service).ok_or_else(Problem::not_found)?;
    if reader.is_derived {
        Ok(reader.service)
    } else {
        Err(Error::NotDerived)
    }
}

fn running(error: AskError) -> Error {
    match error.refusal() {
        Some(ALREADY_RUNNING) => Error::RebuildRuns,
        _ => error.into(),
    }
}

fn view(rebuild: Rebuild) -> RebuildView {
    let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let tables = &rebuild.progress.tables;
    let is_compared = matches!(rebuild.state, State::Compared | State::Switched);
    RebuildView {
        id: rebuild.id,
        switch: rebuild.switch,
        events_per_second: rebuild.events_per_second,
        state: rebuild.state,
        is_equal: is_compared.then(|| tables.iter().all(TableCompared::is_equal)),
        started_at: time(rebuild.started_at),
        ended_at: rebuild.ended_at.map(time),
        progress: rebuild.progress,
    }
}
