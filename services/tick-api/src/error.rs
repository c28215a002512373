//! Every way in which a request fails.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::group_commit::NotStored;
use chassis::http::Problem;
use chassis::rpc::{AskError, Refusal};
use chassis::unit_of_work::WorkError;
use clients::auth::LONGEST_LOCK;

use crate::picture::PictureError;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No image has this id.
    #[error("there is no such image")]
    NoSuchImage,
    /// The image, or whose it was, was erased.
    #[error("the image was deleted")]
    ImageGone,
    /// The caller was erased, or is being erased.
    #[error("the account is being deleted")]
    CallerGone,
    /// The caller restricted what is done with their data.
    #[error("the caller restricted what is done with their data")]
    Restricted,
    /// The caller withdrew their consent to exact places.
    #[error("the caller does not consent to exact places")]
    PlaceWithdrawn,
    /// One does not rate one's own image.
    #[error("the image is the caller's own")]
    OwnImage,
    /// Nobody hid the image.
    #[error("the image is not hidden")]
    NotHidden,
    /// One ticks with one's own images only.
    #[error("the image is somebody else's")]
    NotOwnImage,
    /// A tick names an image that is not here.
    #[error("the tick's image is unknown")]
    UnknownImage,
    /// The caller has no tick with this id.
    #[error("there is no such tick")]
    NoSuchTick,
    /// Another tick has this id.
    #[error("the tick's id is taken")]
    TickExists,
    /// The tick with this id was taken back.
    #[error("the tick was deleted")]
    TickGone,
    /// The caller has not rated this image.
    #[error("there is no such rating")]
    NoSuchRating,
    /// Password or code are wrong.
    #[error("the caller did not prove who they are")]
    NotReauthenticated,
    /// The picture cannot be taken in.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The caller's pictures take all that one person's may.
    #[error("the caller's pictures take too much")]
    NoRoom {
        /// What they take.
        used: u64,
        /// What the new one would take.
        wanted: u64,
        /// What they may take.
        quota: u64,
    },
    /// The picture store failed.
    #[error("the picture store failed: {}", .0.kind())]
    Objects(#[from] std::io::Error),
    /// Password or code were wrong too often.
    #[error("too many wrong proofs")]
    TooManyAttempts,
    /// The process is stopping.
    #[error("the process is stopping")]
    Stopping,
    /// Something that all services answer alike.
    #[error("a request was refused")]
    Problem(Problem),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A change could not be made.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A group was not committed.
    #[error(transparent)]
    NotStored(#[from] NotStored),
    /// Another service did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

const RESTRICTED: &str = "Processing is restricted at your request: nothing can be added. Lift the restriction first, \
    with PUT /api/v1/users/me/limits.";
const PLACE_WITHDRAWN: &str = "You withdrew your consent to exact places. Leave the place out, or consent to it again \
    first, with POST /api/v1/users/me/consents.";

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchImage | Error::NoSuchTick | Error::NoSuchRating => Self::not_found(),
            Error::ImageGone | Error::TickGone => Self::gone(),
            Error::CallerGone => Self::new(
                StatusCode::GONE,
                "account-gone",
                "This account is being deleted; nothing can be added to it.",
            ),
            Error::Restricted => forbidden("processing-restricted", RESTRICTED),
            Error::PlaceWithdrawn => forbidden("place-consent-withdrawn", PLACE_WITHDRAWN),
            Error::OwnImage => forbidden(
                "own-image",
                "This image is yours: others rate or report it.",
            ),
            Error::NotHidden => conflict(
                "not-hidden",
                "This image is not hidden: there is nothing to object to.",
            ),
            Error::NotOwnImage => forbidden(
                "not-own-image",
                "This image is somebody else's. Upload one of your own and tick with that.",
            ),
            Error::UnknownImage => Self::field(
                "/image/url",
                "names no image that is here; upload it first and use the url from the answer",
            ),
            Error::TickExists => conflict(
                "tick-exists",
                "Another tick has this id. To tick again, send a new id.",
            ),
            Error::NotReauthenticated => forbidden(
                "reauthentication-failed",
                "The password or code is wrong, or the code is too old.",
            ),
            Error::TooManyAttempts => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                "Too many wrong passwords or codes; wait before the next.",
            )
            .retry_after(LONGEST_LOCK.as_secs()),
            Error::NoRoom {
                used,
                wanted,
                quota,
            } => no_room(used, wanted, quota),
            Error::Picture(error) => of_picture(&error),
            Error::Objects(_) => {
                tracing::error!(%error, "the picture store did not answer a request");
                Self::unavailable()
            }
            Error::Stopping => Self::unavailable(),
            Error::Problem(problem) => problem,
            Error::Database(error) => error.into(),
            Error::Work(error) => error.into(),
            Error::NotStored(error) => error.into(),
            Error::Ask(error) => error.into(),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::CallerGone => Self::new("erased"),
            other => Self::internal(&other),
        }
    }
}

fn forbidden(kind: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, kind, detail)
}

/// Not 507: nothing is wrong with the server, and clients repeat what fails with 5xx.
fn no_room(used: u64, wanted: u64, quota: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "storage-quota-exceeded",
        format!(
            "Your pictures take {used} of {quota} bytes, and this one needs {wanted} more. \
             Ask who runs this instance for more room."
        ),
    )
}

fn conflict(kind: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, kind, detail)
}

fn of_picture(error: &PictureError) -> Problem {
    let (status, kind) = match error {
        PictureError::Empty => (StatusCode::UNPROCESSABLE_ENTITY, "empty-picture"),
        PictureError::TooManyBytes => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
        PictureError::Unsupported { .. } => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
        }
        PictureError::TooManyPixels | PictureError::TooMuchMemory => {
            (StatusCode::UNPROCESSABLE_ENTITY, "too-many-pixels")
        }
        PictureError::TooSmall { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "picture-too-small"),
        PictureError::CutOff => (StatusCode::UNPROCESSABLE_ENTITY, "picture-cut-off"),
        PictureError::Damaged => (StatusCode::UNPROCESSABLE_ENTITY, "picture-damaged"),
        PictureError::NotProcessed => return Problem::internal(error),
    };
    Problem::new(status, kind, error.to_string()).about("")
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_status_that_the_api_promises() {
        for (error, status) in [
            (Error::NoSuchImage, 404),
            (Error::ImageGone, 410),
            (Error::CallerGone, 410),
            (Error::Restricted, 403),
            (Error::PlaceWithdrawn, 403),
            (Error::OwnImage, 403),
            (Error::NotOwnImage, 403),
            (Error::NotHidden, 409),
            (Error::UnknownImage, 422),
            (Error::TickExists, 409),
            (Error::TickGone, 410),
            (Error::NoSuchTick, 404),
            (Error::NotReauthenticated, 403),
            (Error::TooManyAttempts, 429),
            (Error::Stopping, 503),
            (Error::Picture(PictureError::TooManyBytes), 413),
            (Error::Picture(PictureError::CutOff), 422),
            (Error::Picture(PictureError::TooMuchMemory), 422),
            (
                Error::NoRoom {
                    used: 1,
                    wanted: 1,
                    quota: 1,
                },
                413,
            ),
        ] {
            let text = error.to_string();
            assert_eq!(Problem::from(error).status().as_u16(), status, "{text}");
        }
    }
}
