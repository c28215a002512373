//! The platform's totals.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::database::DatabaseError;
use chassis::http::Problem;
use clients::statistics::Figures;

use crate::audience::Audience;
use crate::error::Error;
use crate::{App, router, store};

/// Totals of the whole platform.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/overview",
    tag = "statistics",
    responses(
        (status = 200, description = "Totals of the whole platform", body = Figures),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn show(State(app): State<App>) -> Result<impl IntoResponse, Error> {
    Ok(router::figures(Audience::Public, figures(&app).await?))
}

/// The totals, as new as they can be had without counting all the time.
pub(crate) async fn figures(app: &App) -> Result<Figures, DatabaseError> {
    let count = Box::pin(async {
        let mut session = app.database.read().await?;
        store::figures::totals(&mut session).await
    });
    app.figures.get(store::mark(&app.database), count).await
}
