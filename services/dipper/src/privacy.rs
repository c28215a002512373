//! What is kept about people, from the data map: `dipper data-map`, and the pages about it.

use std::path::Path;

use axum::response::{Html, IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::arguments::DataMap;
use crate::catalogue::write;
use crate::docs::{PAGE_POLICY, json};
use crate::say;

/// Runs one of the commands.
pub(crate) fn run(command: &DataMap) -> anyhow::Result<()> {
    match command {
        DataMap::List => {
            list();
            Ok(())
        }
        DataMap::Export { folder } => export(folder),
    }
}

fn list() {
    for item in data_map::items() {
        say(&format!(
            "{:<52} {:<24} {:<14} {:<16} {}; {}",
            item.place.to_string(),
            item.whose.as_str(),
            item.category.as_str(),
            item.activity.id,
            item.retention.in_words(),
            item.erasure.in_words(),
        ));
    }
}

fn export(folder: &Path) -> anyhow::Result<()> {
    let records = serde_json::to_string_pretty(&data_map::records())?;
    write(folder, "records.json", &records)?;
    write(folder, "records.html", &data_map::records_page())?;
    write(folder, "privacy.html", &data_map::notice())
}

/// The pages' routes.
pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(notice))
        .routes(routes!(records_page))
        .routes(routes!(records))
}

fn page(html: String) -> Response {
    (PAGE_POLICY, Html(html)).into_response()
}

/// What is kept about birders, what for and for how long.
#[utoipa::path(get, path = "/privacy", tag = "documents", responses((status = 200, description = "A page", content_type = "text/html")))]
async fn notice() -> Response {
    page(data_map::notice())
}

/// The records of processing activities (Art. 30 GDPR) as a page.
#[utoipa::path(get, path = "/docs/records", tag = "documents", responses((status = 200, description = "A page", content_type = "text/html")))]
async fn records_page() -> Response {
    page(data_map::records_page())
}

/// The records of processing activities (Art. 30 GDPR).
#[utoipa::path(get, path = "/api/records.json", tag = "documents", responses((status = 200, description = "The records", body = data_map::Records)))]
async fn records() -> Response {
    let records = serde_json::to_vec(&data_map::records());
    json(records.unwrap_or_default().into())
}
