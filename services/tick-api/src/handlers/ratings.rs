//! Ratings: one per user and image, changeable, withdrawable.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Path, Problem};
use chassis::trace;
use clients::Caller;
use envelope::{ImageId, ImageUrl, Rating};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::images::ImageView;
use crate::App;
use crate::error::Error;
use crate::store::ratings::{RatingChange, Wish};

/// A rating.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRating {
    /// How much the caller likes the image, 1 to 5.
    #[schema(value_type = i64, minimum = 1, maximum = 5)]
    rating: Rating,
}

/// A rating that stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StandingRating)]
pub(crate) struct RatingView {
    /// How much the caller likes the image.
    #[schema(value_type = i64, minimum = 1, maximum = 5)]
    rating: Rating,
    /// The image, with its new figures.
    image: ImageView,
}

/// Rates somebody else's image, or changes the rating.
#[utoipa::path(
    put, path = "/api/v1/images/{id}/rating", operation_id = "rate_image", tag = "ratings", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The image's id.")),
    request_body = NewRating,
    responses(
        (status = 200, body = RatingView),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The image is the caller's own, or the caller restricted what is done with their data.", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The image was deleted, or the account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewRating>,
) -> Result<Json<RatingView>, Error> {
    let image = ImageId(id);
    change(&app, caller, image, Wish::Rate(new.rating)).await?;
    let view = RatingView {
        rating: new.rating,
        image: ImageView::find(&app, Some(caller.user), image).await?,
    };
    Ok(Json(view))
}

/// Withdraws the caller's rating.
#[utoipa::path(
    delete, path = "/api/v1/images/{id}/rating", operation_id = "withdraw_rating", tag = "ratings", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The image's id.")),
    responses(
        (status = 204, description = "It does not stand any more."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The caller has not rated this image, or there is no such image.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The image was deleted, or the account is being deleted.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Error> {
    change(&app, caller, ImageId(id), Wish::Withdraw).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns once the change is durable.
async fn change(app: &App, caller: Caller, image: ImageId, wish: Wish) -> Result<(), Error> {
    let change = RatingChange {
        rater: caller.user,
        url: ImageUrl::new(&app.public_url, image),
        wish,
        trace: trace::current(),
    };
    app.ratings
        .submit(change)
        .await
        .ok_or(Error::Stopping)???;
    app.live.tell(image).await;
    Ok(())
}
