//! Errors as clients see them: RFC 9457 problem documents without internals.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::database::DatabaseError;
use crate::group_commit::NotStored;
use crate::rpc::AskError;
use crate::unit_of_work::WorkError;

/// `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem, as a relative URI.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words; the same for every problem of a kind.
    title: String,
    /// The HTTP status code.
    #[schema(value_type = u16)]
    #[serde(serialize_with = "status_number")]
    status: StatusCode,
    /// What happened here, and what to do.
    detail: String,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// When to try again.
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to it (RFC 6901); for a query parameter, a slash and its name.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    /// A wrong field.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn status_number<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of a kind, e.g. `Problem::new(StatusCode::FORBIDDEN, "own-image", "This is ...")`.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{kind}"),
            title: title(kind),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// 422: one or more fields are wrong.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields are not as they should be; see errors.";
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", detail)
        }
    }

    /// 422: one field is wrong.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(pointer, detail)])
    }

    /// 401: no token, or one that is not good.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Log in and send the token as `Authorization: Bearer TOKEN`.",
        )
    }

    /// 404: there is no such thing, or it is not yours to see.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing at this address.",
        )
    }

    /// 410: it was deleted.
    pub fn gone() -> Self {
        Self::new(StatusCode::GONE, "gone", "This was deleted.")
    }

    /// 429: somebody asks more often than anybody should.
    pub fn too_many_requests(wait: std::time::Duration) -> Self {
        let detail = "You do this more often than we can serve; wait before the next time.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
            .retry_after(wait.as_secs() + 1)
    }

    /// 503: something we depend on is away; trying again soon may work.
    pub fn unavailable() -> Self {
        let detail =
            "A part of the system is not available right now; nothing was changed. Try again soon.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
    }

    /// 500: a mistake of ours. What it was goes to the log and not to the client.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side.",
        )
    }

    /// Points at the field that the detail is about; the empty pointer is the body itself.
    pub fn about(mut self, pointer: &str) -> Self {
        let detail = self.detail.clone();
        self.errors.push(FieldError::new(pointer, detail));
        self
    }

    /// Says when to try again.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// `own-image` is titled `Own image`.
fn title(kind: &str) -> String {
    let words = kind.replace('-', " ");
    match words.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => words,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let retry_after = self.retry_after_seconds;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(%error, "the database did not answer a request");
        Self::unavailable()
    }
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Database(error) => error.into(),
            WorkError::Event(error) => Self::internal(&error),
        }
    }
}

impl From<NotStored> for Problem {
    fn from(error: NotStored) -> Self {
        tracing::error!(%error, "a change was not stored");
        Self::unavailable()
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        tracing::warn!(%error, "a question was not answered");
        Self::unavailable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_kind_status_and_fields() {
        let problem = Problem::field("/rating", "must be 1 to 5");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/problems/invalid-fields");
        assert_eq!(json["title"], "Invalid fields");
        assert_eq!(json["status"], 422);
        assert_eq!(json["errors"][0]["pointer"], "/rating");
        let response = problem.into_response();
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}
