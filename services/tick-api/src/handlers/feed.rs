//! The feed: everybody's ticked images.

use axum::extract::State;
use chassis::database::DatabaseError;
use chassis::http::{Cursor, Json, List, PageRequest, Problem, Query};
use clients::Caller;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::images::ImageView;
use crate::App;
use crate::error::Error;
use crate::store::images::{self, FeedOrder, ImageRow};

/// Which part of the feed is wanted, and in which order.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedQuery {
    /// Newest or best first; newest if it is missing.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// At most so many, 1 to 100; 20 if it is missing.
    limit: Option<i64>,
    /// From the answer before, with the same order.
    cursor: Option<String>,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    /// The image that was ticked last.
    #[default]
    New,
    /// The image with the highest rank.
    Best,
}

/// Images that were ticked, with score and rating.
#[utoipa::path(
    get, path = "/api/v1/feed", operation_id = "list_feed", tag = "feed", security((), ("bearer" = [])), params(FeedQuery),
    responses(
        (status = 200, body = List<ImageView>),
        (status = 401, description = "A token was sent and is not good.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Option<Caller>,
    Query(query): Query<FeedQuery>,
) -> Result<Json<List<ImageView>>, Error> {
    let viewer = caller.map(|caller| caller.user);
    let (limit, cursor) = (query.limit, query.cursor.as_deref());
    let rows = match query.sort {
        Sort::New => {
            let page = PageRequest::<Cursor<i64>>::new(limit, cursor)?;
            let after = page.after.unwrap_or(Cursor::before_all(i64::MAX));
            let mut session = app.database.read().await?;
            let order = FeedOrder::New(after);
            let rows = images::feed(&mut session, viewer, order, page.rows_to_read()).await?;
            page.list(rows, new_cursor)
        }
        Sort::Best => {
            let page = PageRequest::<Cursor<f64>>::new(limit, cursor)?;
            let after = page.after.unwrap_or(Cursor::before_all(f64::MAX));
            let mut session = app.database.read().await?;
            let order = FeedOrder::Best(after);
            let rows = images::feed(&mut session, viewer, order, page.rows_to_read()).await?;
            page.list(rows, best_cursor)
        }
    };
    Ok(Json(views(&app, rows)?))
}

fn new_cursor(row: &ImageRow) -> String {
    let (key, id) = (row.ticked_at.unwrap_or_default(), row.id);
    Cursor { key, id }.to_string()
}

fn best_cursor(row: &ImageRow) -> String {
    let (key, id) = (row.rank_value, row.id);
    Cursor { key, id }.to_string()
}

fn views(app: &App, rows: List<ImageRow>) -> Result<List<ImageView>, DatabaseError> {
    let items = rows.items.iter().map(|row| ImageView::new(app, row));
    Ok(List {
        items: items.collect::<Result<_, _>>()?,
        next_cursor: rows.next_cursor,
    })
}
