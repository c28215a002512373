//! Every way in which a request to AdminAPI fails.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::http::Problem;
use chassis::rpc::AskError;
use chassis::unit_of_work::WorkError;

use crate::watch::BrokerError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no such user")]
    NoSuchUser,
    #[error("there is no such open request")]
    NoSuchRequest,
    #[error("there is no such case")]
    NoSuchCase,
    #[error("the case is decided in this way already")]
    DecidedAlready,
    #[error("the user may do as much as the caller")]
    NotBelow,
    #[error("the user was erased")]
    Erased,
    #[error("another rebuild runs")]
    RebuildRuns,
    #[error("the service cannot be rebuilt")]
    NotDerived,
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("bad input")]
    Input(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchUser => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-user",
                "There is no user with this id.",
            ),
            Error::NoSuchRequest | Error::NoSuchCase => Self::not_found(),
            Error::DecidedAlready => Self::new(
                StatusCode::CONFLICT,
                "decided-already",
                "This is so already: somebody else was faster. Look at the case again.",
            ),
            Error::NotBelow => Self::new(
                StatusCode::FORBIDDEN,
                "not-below",
                "Nobody shuts themselves out, and moderators shut out birders only.",
            ),
            Error::Erased => Self::gone(),
            Error::RebuildRuns => Self::new(
                StatusCode::CONFLICT,
                "rebuild-runs",
                "Another rebuild of this service runs; wait for its end, or cancel it.",
            ),
            Error::NotDerived => Self::new(
                StatusCode::CONFLICT,
                "not-rebuildable",
                "This service also keeps what no stream tells, so it cannot be built anew from the streams.",
            ),
            Error::Broker(error) => {
                tracing::warn!(%error, "the broker did not tell what was asked");
                Self::unavailable()
            }
            Error::Ask(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Work(error) => error.into(),
            Error::Input(problem) => problem,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
