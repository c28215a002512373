//! The layers around all routes.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Problem, unread};
use crate::trace::{self, TraceParent};

const TRACEPARENT: &str = "traceparent";

/// No request may take longer, uploads over a slow line included.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);

/// Everything from ourselves, nothing from anybody else, and no page inside another's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts metrics, security headers, a time limit, and problem documents for unknown addresses,
/// wrong methods and panics around the routes.
pub fn around(router: Router) -> Router {
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(
                axum::http::StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This address exists, but not for this method.",
            )
        })
        // One stack, from the outside inwards: each layer by itself would be a box more a request.
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(measure))
                .layer(header(
                    HeaderName::from_static("cross-origin-opener-policy"),
                    "same-origin",
                ))
                .layer(header(header::REFERRER_POLICY, "no-referrer"))
                .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                // Most answers are somebody's own; what may be kept says so itself.
                .layer(header(header::CACHE_CONTROL, "no-store"))
                .layer(header(
                    header::CONTENT_SECURITY_POLICY,
                    CONTENT_SECURITY_POLICY,
                ))
                .layer(middleware::from_fn(unread::take))
                .layer(middleware::from_fn(in_time))
                .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
                    Problem::internal(&"a handler panicked").into_response()
                })),
        )
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable().into_response(),
    }
}

/// Counts and times requests by route, never by address: addresses hold ids. What a request sets
/// off belongs to its client's trace, or to one of its own.
async fn measure(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().as_str().to_owned();
    let began = Instant::now();
    let parent = request.headers().get(TRACEPARENT);
    let parent = parent.and_then(|value| value.to_str().ok()?.parse::<TraceParent>().ok());
    let place = parent.map_or_else(TraceParent::root, TraceParent::child);
    let response = trace::within(place, next.run(request)).await;
    metrics::histogram!("dipper_http_request_seconds", "route" => route.clone())
        .record(began.elapsed().as_secs_f64());
    metrics::counter!("dipper_http_requests_total", "method" => method, "route" => route, "status" => response.status().as_u16().to_string())
        .increment(1);
    response
}
