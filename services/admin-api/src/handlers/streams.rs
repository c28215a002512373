//! What goes on inside: totals, streams, consumers.

use axum::extract::State;
use chassis::http::{Json, List, Problem};
use chassis::rpc::ask;
use clients::statistics::{self, Figures};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::failed;
use crate::guard::Admin;
use crate::watch::{self, ConsumerView, StreamView};

/// Everything at a glance.
#[derive(Serialize, ToSchema)]
pub(crate) struct Overview {
    /// The platform's totals; null while Statistics does not answer.
    figures: Option<Figures>,
    /// The streams.
    streams: Vec<StreamView>,
    /// Who reads them.
    consumers: Vec<ConsumerView>,
    /// How many events failed and wait for a decision.
    dead_letters: i64,
}

/// Totals, streams and consumers, now.
#[utoipa::path(
    get, path = "/api/v1/admin/overview", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "Everything at a glance", body = Overview),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The broker does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn overview(_: Admin, State(app): State<App>) -> Result<Json<Overview>, Error> {
    let (figures, streams, consumers, dead_letters) = tokio::join!(
        ask(&app.bus, &statistics::Overview {}),
        watch::streams(&app.bus),
        watch::consumers(&app.bus),
        failed::count(&app.bus),
    );
    Ok(Json(Overview {
        figures: figures.ok(),
        streams: streams?,
        consumers: consumers?,
        dead_letters,
    }))
}

/// All streams, now.
#[utoipa::path(
    get, path = "/api/v1/admin/streams", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "All streams", body = List<StreamView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The broker does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
) -> Result<Json<List<StreamView>>, Error> {
    Ok(Json(List {
        items: watch::streams(&app.bus).await?,
        next_cursor: None,
    }))
}
