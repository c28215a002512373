//! Every way in which a request to AuthAPI fails.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::database::DatabaseError;
use chassis::http::Problem;
use chassis::keys::Unsealable;
use chassis::rpc::{AskError, Refusal};
use chassis::unit_of_work::WorkError;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::attempts::TooMany;
use crate::oidc::ProviderError;
use crate::passwords::HashingError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("address and password do not belong together, or the address is not confirmed")]
    WrongCredentials,
    #[error("too many failed attempts")]
    TooManyAttempts(Duration),
    #[error("the user is shut out for a time")]
    Suspended(DateTime<Utc>, TimeDelta),
    #[error("the password or code does not prove who the caller is")]
    NotReauthenticated,
    #[error("the user has a second factor, and no code came")]
    SecondFactorRequired,
    #[error("the code is wrong or was used before")]
    WrongCode,
    #[error("the user has a second factor already")]
    SecondFactorEnabled,
    #[error("the user is setting up no second factor")]
    NoSecondFactor,
    #[error(transparent)]
    Unsealable(#[from] Unsealable),
    #[error("nobody came back from the provider with this browser")]
    NoArrival,
    #[error("the provider vouches for no address")]
    NoAddress,
    #[error("the provider: {0}")]
    Provider(#[from] ProviderError),
    #[error("nothing waits for this token")]
    UnknownToken,
    #[error("there is no such session of this user")]
    NoSuchSession,
    #[error("the user was erased")]
    Erased,
    #[error(transparent)]
    Hashing(#[from] HashingError),
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

impl From<TooMany> for Error {
    fn from(too_many: TooMany) -> Self {
        Self::TooManyAttempts(too_many.wait)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::WrongCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong-credentials",
                "This address and password do not belong together, or the address is not confirmed yet.",
            ),
            Error::TooManyAttempts(wait) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                "Too many failed attempts; wait before the next.",
            )
            .retry_after(wait.as_secs() + 1),
            Error::Suspended(until, wait) => suspended(until, wait),
            Error::NotReauthenticated => Self::new(
                StatusCode::FORBIDDEN,
                "reauthentication-failed",
                "The password or code is wrong, or the code was used before.",
            ),
            Error::SecondFactorRequired => Self::new(
                StatusCode::UNAUTHORIZED,
                "second-factor-required",
                "This account has a second factor: send the code that the authenticator app shows, too.",
            ),
            Error::WrongCode => Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong-code",
                "The code is wrong, or was used before.",
            ),
            Error::SecondFactorEnabled => Self::new(
                StatusCode::CONFLICT,
                "second-factor-enabled",
                "There is a second factor. Switch it off before another is set up.",
            ),
            Error::NoSecondFactor => Self::new(
                StatusCode::CONFLICT,
                "no-second-factor",
                "No second factor is being set up.",
            ),
            Error::NoArrival => no_arrival(),
            Error::NoAddress => no_address(),
            Error::Provider(error) => {
                tracing::warn!(%error, "the provider does not do its part");
                Self::unavailable()
            }
            Error::Unsealable(error) => Self::internal(&error),
            Error::UnknownToken => Self::new(
                StatusCode::BAD_REQUEST,
                "unknown-token",
                "This link was used before or is too old. Ask for a new one.",
            ),
            Error::NoSuchSession => Self::not_found(),
            Error::Erased => Self::gone(),
            Error::Hashing(error) => Self::internal(&error),
            Error::Ask(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Work(error) => error.into(),
            Error::Input(problem) => problem,
        }
    }
}

fn suspended(until: DateTime<Utc>, wait: TimeDelta) -> Problem {
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    Problem::new(
        StatusCode::FORBIDDEN,
        "suspended",
        format!("This account is suspended until {until}."),
    )
    .retry_after(u64::try_from(wait.num_seconds() + 1).unwrap_or_default())
}

fn no_arrival() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-arrival",
        "Nobody came back from the provider with this browser, or too long ago. Begin again.",
    )
}

fn no_address() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "no-address",
        "The provider has not seen that an address is yours. Have it confirmed there, or register here.",
    )
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyAttempts(_) => Self::new("too-many-attempts"),
            _ => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_attempts_say_when_to_try_again() {
        let response = Error::TooManyAttempts(Duration::from_millis(1500)).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["retry-after"], "2");
    }

    #[test]
    fn who_is_shut_out_is_told_until_when() {
        let until = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let problem = Problem::from(Error::Suspended(until, TimeDelta::hours(1)));
        let text = serde_json::to_string(&problem).unwrap();
        assert!(text.contains("until 2027-01-15T08:00:00Z"), "{text}");
        assert_eq!(problem.status(), StatusCode::FORBIDDEN);
        assert_eq!(problem.into_response().headers()["retry-after"], "3601");
    }
}
