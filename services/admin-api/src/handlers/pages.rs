//! The dashboard's page and its files.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect};
use chassis::http::{Path, Problem};

use crate::assets;

/// Files are asked for again after an update of the program, not after a guess of a browser.
const REVALIDATE: &str = "no-cache";
/// Only our own files, and no text ever becomes markup or a script (Trusted Types). Pictures that need a token are
/// fetched, hence `blob:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// To the dashboard.
#[utoipa::path(
    get, path = "/admin", tag = "pages",
    responses((status = 308, description = "The dashboard is at /admin/"))
)]
pub(crate) async fn redirect() -> Redirect {
    Redirect::permanent("/admin/")
}

/// The dashboard.
#[utoipa::path(
    get, path = "/admin/", tag = "pages",
    responses((status = 200, description = "A page", content_type = "text/html"))
)]
pub(crate) async fn index() -> impl IntoResponse {
    let headers = [
        (CACHE_CONTROL, REVALIDATE),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, Html(assets::INDEX))
}

/// A file of the dashboard.
#[utoipa::path(
    get, path = "/admin/assets/{file}", tag = "pages",
    params(("file" = String, Path, description = "The file's name")),
    responses(
        (status = 200, description = "The file"),
        (status = 404, description = "No such file", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn asset(Path(file): Path<String>) -> Result<impl IntoResponse, Problem> {
    let asset = assets::find(&file).ok_or_else(Problem::not_found)?;
    let headers = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, REVALIDATE),
    ];
    Ok((headers, asset.bytes))
}
