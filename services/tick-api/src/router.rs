//! The table of routes.

use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::handlers::{
    erasure, feed, images, lists, live, pages, pictures, ratings, reports, species, ticks,
};

/// All routes of the service.
pub(crate) fn router(app: App) -> OpenApiRouter {
    table().with_state(app)
}

fn table() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(images::create))
        .routes(routes!(images::show))
        .routes(routes!(pictures::show))
        .routes(routes!(ratings::update, ratings::delete))
        .routes(routes!(reports::create))
        .routes(routes!(reports::appeal))
        .routes(routes!(ticks::create, ticks::list))
        .routes(routes!(ticks::show, ticks::update, ticks::delete))
        .routes(routes!(feed::list))
        .routes(routes!(live::follow))
        .routes(routes!(species::list))
        .routes(routes!(lists::show))
        .routes(routes!(erasure::create))
        .routes(routes!(erasure::send_code))
        .merge(page())
}

/// The page and its files are text for the most part, and the same for everybody.
fn page() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pages::index))
        .routes(routes!(pages::asset))
        .layer(CompressionLayer::new())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_of_the_document_has_a_name_of_its_own() {
        let document = serde_json::to_value(table().to_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let names: Vec<&str> = operations
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), 20);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn every_schema_that_the_document_refers_to_is_in_it() {
        let document = table().to_openapi().to_json().unwrap();
        let schemas = serde_json::from_str::<serde_json::Value>(&document).unwrap();
        for reference in document.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(!schemas["components"]["schemas"][name].is_null(), "{name}");
        }
    }
}
