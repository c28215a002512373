//! What goes on inside: totals, streams, consumers, and how fast they are.

use axum::extract::State;
use chassis::bus::Bus;
use chassis::deliveries::latency::{HowFast, Latency};
use chassis::http::{Json, List, Problem};
use chassis::rpc::{ask, ask_service};
use clients::statistics::{self, Figures};
use envelope::READERS;
use futures::future::join_all;
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
    /// How long events take until a consumer has handled them; of the consumers that answer.
    latencies: Vec<LatencyView>,
    /// How many events failed and wait for a decision.
    dead_letters: i64,
}

/// How long events take until a consumer has handled them.
#[derive(Serialize, ToSchema)]
pub(crate) struct LatencyView {
    /// The consumer: the service.
    consumer: &'static str,
    #[serde(flatten)]
    latency: Latency,
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
    let (figures, streams, consumers, latencies, dead_letters) = tokio::join!(
        ask(&app.bus, &statistics::Overview {}),
        watch::streams(&app.bus),
        watch::consumers(&app.bus),
        latencies(&app.bus),
        failed::count(&app.bus),
    );
    Ok(Json(Overview {
        figures: figures.ok(),
        streams: streams?,
        consumers: consumers?,
        latencies,
        dead_letters,
    }))
}

async fn latencies(bus: &Bus) -> Vec<LatencyView> {
    let asked = READERS.iter().map(|reader| async {
        let latency = ask_service(bus, reader.service, &HowFast {}).await.ok()?;
        Some(LatencyView {
            consumer: reader.service,
            latency,
        })
    });
    join_all(asked).await.into_iter().flatten().collect()
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
    Ok(Json(List::whole(watch::streams(&app.bus).await?)))
}
