//! The table of routes.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::handlers::{consents, exports, limits, requests, users};

pub(crate) fn router(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(users::show, users::update))
        .routes(routes!(limits::show, limits::update))
        .routes(routes!(consents::list, consents::create))
        .routes(routes!(consents::texts))
        .routes(routes!(requests::show))
        .routes(routes!(exports::create))
        .routes(routes!(exports::download))
        .with_state(app)
}
