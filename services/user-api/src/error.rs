//! Every way in which a request or a question fails.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::http::{FieldError, Problem};
use chassis::keys::Unsealable;
use chassis::rpc::{AskError, Refusal};
use chassis::unit_of_work::WorkError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields that are not as they should be.
    #[error("some fields are wrong")]
    Fields(Vec<FieldError>),
    /// The caller has to prove first who they are.
    #[error("who calls has to prove who they are")]
    Unproven(Problem),
    /// The address is none.
    #[error("the address is none")]
    InvalidEmail,
    /// The name cannot be shown.
    #[error("the name cannot be shown")]
    InvalidName,
    /// Nobody has this id.
    #[error("there is no such user")]
    UnknownUser,
    /// There is no such text to consent to.
    #[error("there is no such text")]
    UnknownText,
    /// The hash is not that of the text as it is now.
    #[error("another text was shown")]
    OtherText,
    /// There is no such request.
    #[error("there is no such request")]
    UnknownRequest,
    /// No address waits for this link.
    #[error("no address waits for this link")]
    UnknownToken,
    /// No address waits, or it is somebody's.
    #[error("no address waits to be confirmed")]
    NotNeeded,
    /// The archive is not written yet.
    #[error("the archive is not written yet")]
    NotReady,
    /// The user is being erased or was, or the archive is gone.
    #[error("it is erased")]
    Erased,
    /// The archive cannot be read.
    #[error("an archive cannot be read: {0}")]
    Archive(#[from] std::io::Error),
    /// The vault does not open: the deployment's secret is not the one it was sealed with.
    #[error("the identity vault does not open: is the deployment's secret the right one?")]
    Vault(#[from] Unsealable),
    /// Mails that were caught cannot be erased.
    #[error("caught mails cannot be erased: {0:#}")]
    Mails(anyhow::Error),
    /// The receipt cannot be written.
    #[error("a receipt cannot be written")]
    Unsigned(#[source] serde_json::Error),
    /// Another service did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The change was not made.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Fields(fields) => Self::fields(fields),
            Error::Unproven(problem) => problem,
            Error::InvalidEmail => Self::field("/email", error.to_string()),
            Error::InvalidName => Self::field("/name", error.to_string()),
            Error::UnknownUser | Error::UnknownRequest | Error::UnknownToken | Error::NotNeeded => {
                Self::not_found()
            }
            Error::UnknownText => {
                Self::field("/text", "names no text of GET /api/v1/consents/texts")
            }
            Error::OtherText => Self::new(
                StatusCode::CONFLICT,
                "other-text",
                "That is not the hash of the text as it is now. Show the text from GET /api/v1/consents/texts, \
                 and send the hash that stands with it.",
            ),
            Error::NotReady => Self::new(
                StatusCode::CONFLICT,
                "not-ready",
                "The archive is still being written.",
            )
            .retry_after(2),
            Error::Erased => Self::gone(),
            Error::Vault(_) | Error::Archive(_) | Error::Mails(_) | Error::Unsigned(_) => {
                Self::internal(&error)
            }
            Error::Ask(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Work(error) => error.into(),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidEmail => Self::new("invalid-email"),
            Error::InvalidName => Self::new("invalid-name"),
            Error::UnknownUser => Self::new("unknown-user"),
            Error::UnknownRequest => Self::new("unknown-request"),
            Error::UnknownToken => Self::new("unknown-token"),
            Error::NotNeeded => Self::new("not-needed"),
            Error::Erased => Self::new("erased"),
            other => Self::internal(&other),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
