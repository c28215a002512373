//! The table of routes.

use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use chassis::http::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::handlers::{overview, ratings, species, timeseries};

pub(crate) fn router(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(overview::show))
        .routes(routes!(timeseries::show))
        .routes(routes!(ratings::histogram))
        .routes(routes!(species::top))
        .with_state(app)
}

/// An answer that caches may keep for two seconds.
pub(crate) fn figures<T: serde::Serialize>(answer: T) -> impl IntoResponse {
    let fresh = HeaderValue::from_static("max-age=2");
    ([(header::CACHE_CONTROL, fresh)], Json(answer))
}
