//! The table of routes.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use chassis::http::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::audience::Audience;
use crate::etag;
use crate::handlers::{overview, ratings, retention, species, timeseries};

pub(crate) fn router(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(overview::show))
        .routes(routes!(timeseries::show))
        .routes(routes!(ratings::histogram))
        .routes(routes!(species::top))
        .routes(routes!(species::scores))
        .routes(routes!(retention::show))
        .layer(middleware::from_fn(unless_known))
        .with_state(app)
}

/// An answer that caches may keep for two seconds; what staff see is kept by nobody.
pub(crate) fn figures<T: serde::Serialize>(audience: Audience, answer: T) -> impl IntoResponse {
    let fresh = HeaderValue::from_static(match audience {
        Audience::Public => "max-age=2",
        Audience::Staff => "private, no-store",
    });
    let vary = HeaderValue::from_static("authorization");
    let headers = [(header::CACHE_CONTROL, fresh), (header::VARY, vary)];
    (headers, Json(answer))
}

/// Leaves out a body that the client says it has.
async fn unless_known(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    etag::tagged(next.run(request).await, known.as_ref()).await
}
