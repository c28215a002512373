//! Every way in which a request fails.

use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::http::{FieldError, Problem};

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Query parameters are wrong.
    #[error("wrong parameters")]
    Parameters(Vec<FieldError>),
    /// Too few people have ticked the species for anybody to hear of it.
    #[error("no such species")]
    NoSuchSpecies,
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Parameters(errors) => Self::fields(errors),
            Error::NoSuchSpecies => Self::not_found(),
            Error::Database(error) => error.into(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
