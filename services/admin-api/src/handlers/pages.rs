//! The dashboard's page and its files.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect};
use chassis::http::{Path, Problem};

use crate::assets;

/// Files are asked for again after an update of the program, not after a guess of a browser.
const REVALIDATE: &str = "no-cache";

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
    ([(CACHE_CONTROL, REVALIDATE)], Html(assets::INDEX))
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
