//! The table of routes.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::handlers::{passwords, proofs, registrations, second_factor, sessions};

pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(registrations::create))
        .routes(routes!(registrations::confirm))
        .routes(routes!(sessions::create))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::list, sessions::delete_all))
        .routes(routes!(sessions::show, sessions::delete))
        .routes(routes!(passwords::update))
        .routes(routes!(passwords::send_link))
        .routes(routes!(passwords::reset))
        .routes(routes!(second_factor::show, second_factor::create))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(second_factor::delete))
        .routes(routes!(proofs::create))
        .with_state(app)
}
