//! Every way in which a request fails.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::http::Problem;
use chassis::rpc::AskError;

/// Why a link did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The link is not, or no longer, one of ours.
    #[error("nobody's link")]
    NobodysLink,
    /// The page cannot be made: a mistake of ours.
    #[error("a page cannot be made: {0}")]
    Page(#[from] askama::Error),
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Another service did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NobodysLink => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-link",
                "This link is not, or no longer, one of ours. You can turn mails about ratings off in your profile.",
            ),
            Error::Page(error) => Self::internal(&error),
            Error::Database(error) => error.into(),
            Error::Ask(error) => error.into(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
