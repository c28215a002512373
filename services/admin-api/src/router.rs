//! The table of routes.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::handlers::{
    audit, dead_letters, decisions, deliveries, erasures, events, exports, pages, rebuilds,
    receipts, reports, roles, streams, users,
};

pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(pages::redirect))
        .routes(routes!(pages::index))
        .routes(routes!(pages::asset))
        .routes(routes!(streams::overview))
        .routes(routes!(streams::list))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::parked))
        .routes(routes!(events::list))
        .routes(routes!(events::show))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::show))
        .routes(routes!(dead_letters::unmask))
        .routes(routes!(rebuilds::create, rebuilds::show, rebuilds::delete))
        .routes(routes!(decisions::create))
        .routes(routes!(decisions::show))
        .routes(routes!(erasures::list))
        .routes(routes!(erasures::extend))
        .routes(routes!(erasures::retry))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::show))
        .routes(routes!(exports::list))
        .routes(routes!(audit::list))
        .routes(routes!(reports::list))
        .routes(routes!(reports::decide))
        .routes(routes!(users::me))
        .routes(routes!(users::search))
        .routes(routes!(users::show))
        .routes(routes!(users::log_out))
        .routes(routes!(users::suspend))
        .routes(routes!(roles::update))
        .with_state(app)
}
