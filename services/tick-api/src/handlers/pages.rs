//! The birders' page and what it is made of.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use chassis::http::{Path, Problem};

use crate::assets::{Asset, INDEX};

/// Asked for again each time: page and service change together.
const NO_CACHE: (HeaderName, &str) = (CACHE_CONTROL, "no-cache");

/// Nothing from anybody else, nothing inline, and no text ever becomes script: only the address of the service worker passes,
/// by the policy `dipper`.
const POLICY: (HeaderName, &str) = (
    CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; \
     worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types dipper",
);

/// The page asks for what it does: the camera by its file field, the place by a button.
const PERMISSIONS: (HeaderName, &str) = (
    HeaderName::from_static("permissions-policy"),
    "geolocation=(self), camera=(), microphone=()",
);

/// A service worker may serve addresses above its own folder only if its file says so.
const WHOLE_ORIGIN: (HeaderName, HeaderValue) = (
    HeaderName::from_static("service-worker-allowed"),
    HeaderValue::from_static("/"),
);

/// The birders' page.
#[utoipa::path(get, path = "/", operation_id = "show_page", tag = "pages", responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn index() -> impl IntoResponse {
    ([NO_CACHE, POLICY, PERMISSIONS], Html(INDEX))
}

/// A part of the birders' page: a script, a style sheet, a picture or the manifest.
#[utoipa::path(
    get, path = "/assets/{file}", operation_id = "show_asset", tag = "pages",
    params(("file" = String, Path, description = "The file's name.")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"), (String = "image/png"),
            (String = "application/manifest+json"),
        )),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn asset(Path(file): Path<String>) -> Result<Response, Problem> {
    let asset = Asset::find(&file).ok_or_else(Problem::not_found)?;
    let mut response = (
        [(CONTENT_TYPE, asset.content_type), NO_CACHE, POLICY],
        asset.content(),
    )
        .into_response();
    if asset.is_worker() {
        let (name, value) = WHOLE_ORIGIN;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
