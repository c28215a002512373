//! Events that consumers gave up.

use axum::extract::State;
use chassis::http::{Json, List, ListQuery, PageRequest, Problem, Query};

use crate::App;
use crate::error::Error;
use crate::guard::Admin;
use crate::watch::{self, DeadLetter};

/// Dead letters, the newest first. A part may hold fewer than asked for, even none, and not be
/// the last: erased letters leave gaps.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letters", tag = "admin", params(ListQuery), security(("bearer" = [])),
    responses(
        (status = 200, description = "A part of the dead letters", body = List<DeadLetter>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad limit or cursor", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The broker does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<DeadLetter>>, Error> {
    let page = PageRequest::<u64>::new(query.limit, query.cursor.as_deref())?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let found = watch::dead_letters(&app.bus, page.after, limit).await?;
    Ok(Json(List {
        items: found.letters,
        next_cursor: found.next.map(|sequence| sequence.to_string()),
    }))
}
