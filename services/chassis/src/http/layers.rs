//! The layers around all routes.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceBuilder;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::address::client_of;
use super::{Policy, Problem, unread};
use crate::trace::{self, TraceParent, spans};

const TRACEPARENT: &str = "traceparent";

/// No request may take longer, uploads over a slow line included.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);

/// What nobody else says better: scripts, styles and pictures of our own, no text that becomes script, and no page inside
/// another's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/// No page of ours uses a device; one that does says so itself.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Puts metrics, security headers, limits, and problem documents for unknown addresses, wrong methods and panics around
/// the routes.
pub fn around(router: Router, policy: &Policy) -> Router {
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let transport = policy.strict_transport.clone();
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
                .layer(header(COOP, "same-origin"))
                .layer(header(CORP, "same-origin"))
                .layer(header(header::REFERRER_POLICY, "no-referrer"))
                .layer(header(PERMISSIONS_POLICY, PERMISSIONS))
                .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .layer(SetResponseHeaderLayer::if_not_present(
                    header::STRICT_TRANSPORT_SECURITY,
                    transport,
                ))
                // Most answers are somebody's own; what may be kept says so itself.
                .layer(header(header::CACHE_CONTROL, "no-store"))
                .layer(header(
                    header::CONTENT_SECURITY_POLICY,
                    CONTENT_SECURITY_POLICY,
                ))
                .layer(option_layer(policy.apps.clone()))
                .layer(middleware::from_fn(unread::take))
                .layer(middleware::from_fn_with_state(policy.clone(), admit))
                .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
                    Problem::internal(&"a handler panicked").into_response()
                })),
        )
}

/// Lets through what is within the limits, and waits for it as long as a request may take. What comes from this machine
/// itself is not counted: there is nobody to share with.
async fn admit(State(policy): State<Policy>, mut request: Request, next: Next) -> Response {
    let client = client_of(&policy.proxies, request.headers(), request.extensions());
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    if let Some(client) = client
        && !client.is_local()
        && let Some(route) = request.extensions().get::<MatchedPath>().cloned()
    {
        let method = request.method();
        match policy.limits.count_address(method, route.as_str(), client) {
            Ok(Some(of_account)) => {
                request.extensions_mut().insert(of_account);
            }
            Ok(None) => {}
            Err(problem) => return problem.into_response(),
        }
    }
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
    let method = request.method().clone();
    let began = Instant::now();
    let parent = request.headers().get(TRACEPARENT);
    let parent = parent.and_then(|value| value.to_str().ok()?.parse::<TraceParent>().ok());
    let place = parent.map_or_else(TraceParent::root, TraceParent::child);
    let span = spans::request((place, parent), &method, &route);
    let response = trace::within(place, next.run(request)).await;
    if let Some(span) = span {
        spans::answered(span, response.status());
    }
    metrics::histogram!("dipper_http_request_seconds", "route" => route.clone())
        .record(began.elapsed().as_secs_f64());
    metrics::counter!("dipper_http_requests_total", "method" => method.to_string(), "route" => route, "status" => response.status().as_u16().to_string())
        .increment(1);
    response
}
