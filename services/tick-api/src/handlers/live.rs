//! The feed's news, as they happen.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use chassis::http::Problem;
use futures::{Stream, StreamExt as _};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::images::RatingFigures;
use crate::App;
use crate::ranking;
use crate::store::images::ImageRow;

/// Who finds all places taken comes back later.
const COME_BACK_SECONDS: u64 = 30;

/// What became of an image's ratings: the data of an event `rating`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LiveRating {
    image: LiveImage,
    rating: RatingFigures,
    /// Score and ratings in one figure, 1 to 5.
    rank: f64,
}

/// Which image.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct LiveImage {
    id: Uuid,
}

impl From<&ImageRow> for LiveRating {
    fn from(row: &ImageRow) -> Self {
        Self {
            image: LiveImage { id: row.id },
            rating: RatingFigures::from(row),
            rank: ranking::rounded(row.rank_value),
        }
    }
}

/// New ratings as Server-Sent Events, each `event: rating`. Nobody is named: only what everybody sees.
#[utoipa::path(
    get, path = "/api/v1/feed/live", operation_id = "follow_feed", tag = "feed",
    responses(
        (status = 200, description = "Events until either side ends it; a comment now and then keeps the line open.", body = LiveRating, content_type = "text/event-stream"),
        (status = 503, description = "Too many are listening; Retry-After says when to come back.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let news = app
        .live
        .listen()
        .ok_or_else(|| Problem::unavailable().retry_after(COME_BACK_SECONDS))?;
    let events = news.filter_map(async |image| {
        let rating = LiveRating::from(image.as_ref());
        Event::default().event("rating").json_data(rating).ok()
    });
    Ok(Sse::new(events.map(Ok)).keep_alive(KeepAlive::default()))
}
