//! The birders' page and what it is made of.

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chassis::http::{Path, Problem};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Asked for again each time: page and service change together.
const NO_CACHE: (HeaderName, &str) = (CACHE_CONTROL, "no-cache");

const INDEX: &str = include_str!("../../assets/index.html");

/// A file of the page: its name, its type, its text.
type Asset = (&'static str, &'static str, &'static str);

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        (
            $name,
            $content_type,
            include_str!(concat!("../../assets/", $name)),
        )
    };
}

const ASSETS: &[Asset] = &[
    asset!("account.js", SCRIPT),
    asset!("api.js", SCRIPT),
    asset!("app.css", CSS),
    asset!("app.js", SCRIPT),
    asset!("choices.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("entrance.js", SCRIPT),
    asset!("erasure.js", SCRIPT),
    asset!("export.js", SCRIPT),
    asset!("favicon.svg", SVG),
    asset!("feed.js", SCRIPT),
    asset!("forms.js", SCRIPT),
    asset!("new-tick.js", SCRIPT),
    asset!("pictures.js", SCRIPT),
    asset!("species.js", SCRIPT),
    asset!("ticks.js", SCRIPT),
];

/// The birders' page.
#[utoipa::path(get, path = "/", operation_id = "show_page", tag = "pages", responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn index() -> Response {
    served(HTML, INDEX)
}

/// A part of the birders' page: a script, a style sheet or a picture.
#[utoipa::path(
    get, path = "/assets/{file}", operation_id = "show_asset", tag = "pages",
    params(("file" = String, Path, description = "The file's name.")),
    responses(
        (status = 200, description = "The file.", content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn asset(Path(file): Path<String>) -> Result<Response, Problem> {
    let (_, content_type, text) = ASSETS
        .iter()
        .find(|(name, _, _)| *name == file)
        .ok_or_else(Problem::not_found)?;
    Ok(served(content_type, text))
}

fn served(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type), NO_CACHE], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .collect();
        files.sort();
        let served: Vec<&str> = ASSETS.iter().map(|(name, _, _)| *name).collect();
        assert_eq!(served, files);
    }
}
