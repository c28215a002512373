//! The HTTP side: the list of caught mails as JSON and as a page.

use askama::Template as _;
use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::page::MailPage;
use crate::store::{MailId, Page, Position};
use crate::{MailCatcher, Message};

/// Nothing is loaded from elsewhere, nothing runs; an address in a mail's link learns nothing of this page.
const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

pub(crate) fn router(catcher: MailCatcher) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(style))
        .routes(routes!(list))
        .routes(routes!(show))
        .with_state(catcher)
}

/// A page of caught mails.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaughtMails)]
struct MessageList {
    /// The mails, the newest first.
    items: Vec<Message>,
    /// What `cursor` has to be to get the next, older ones; null at the end.
    next_cursor: Option<String>,
}

/// The caught mails as a page for people.
#[utoipa::path(
    get, path = "/dev/mail", tag = "dev", params(ListQuery),
    responses((status = 200, content_type = "text/html"), (status = 422, description = "a bad limit or cursor"))
)]
async fn page(State(catcher): State<MailCatcher>, part: Part) -> Result<Response, Failure> {
    let found = part.of(catcher).await?;
    let older = found.next.as_ref().map(cursor);
    let page = MailPage::new(&found.messages, older)
        .render()
        .map_err(|_| Failure::Internal)?;
    Ok((PAGE_HEADERS, Html(page)).into_response())
}

/// The page's style sheet.
#[utoipa::path(get, path = "/dev/mail/style.css", tag = "dev", responses((status = 200, content_type = "text/css")))]
async fn style() -> Response {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("../assets/mail.css"),
    )
        .into_response()
}

/// The caught mails, the newest first.
#[utoipa::path(
    get, path = "/dev/mail/messages", tag = "dev", params(ListQuery),
    responses((status = 200, body = MessageList), (status = 422, description = "a bad limit or cursor"))
)]
async fn list(State(catcher): State<MailCatcher>, part: Part) -> Result<Response, Failure> {
    let found = part.of(catcher).await?;
    let next_cursor = found.next.as_ref().map(cursor);
    let list = MessageList {
        items: found.messages,
        next_cursor,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(list)).into_response())
}

/// One caught mail.
#[utoipa::path(
    get, path = "/dev/mail/messages/{id}", tag = "dev",
    params(("id" = String, Path, description = "The mail's id: 64 hexadecimal digits")),
    responses((status = 200, body = Message), (status = 404, description = "no such mail"))
)]
async fn show(State(catcher): State<MailCatcher>, id: WantedId) -> Result<Response, Failure> {
    let read = tokio::task::spawn_blocking(move || catcher.store.get(&id.0)).await;
    let message = read
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| {
            tracing::error!(%error, "a caught mail cannot be read");
            Failure::Internal
        })?;
    let message = message.ok_or(Failure::NotFound)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(message)).into_response())
}

/// Which part of the list is asked for, as the query has it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many mails at most, 1 to 100; 50 if it is missing.
    #[param(value_type = Option<usize>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// Which part of the list is asked for.
#[derive(Debug)]
struct Part {
    limit: usize,
    before: Option<Position>,
}

impl Part {
    async fn of(self, catcher: MailCatcher) -> Result<Page, Failure> {
        let read = move || catcher.store.page(self.before.as_ref(), self.limit);
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| Failure::Internal)
    }
}

impl<S: Sync> FromRequestParts<S> for Part {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Query(query) = Query::<ListQuery>::try_from_uri(&parts.uri).map_err(|_| BAD_QUERY)?;
        let limit = match query.limit {
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(BAD_LIMIT)?,
            None => DEFAULT_LIMIT,
        };
        let before = match query.cursor {
            Some(cursor) => Some(position(&cursor).ok_or(BAD_CURSOR)?),
            None => None,
        };
        Ok(Self { limit, before })
    }
}

/// A cursor names the last mail of its page by where it stands, so it stays good when that mail is erased.
fn cursor((time, id): &Position) -> String {
    format!("{}.{id}", time.timestamp_micros())
}

fn position(cursor: &str) -> Option<Position> {
    let (time, id) = cursor.split_once('.')?;
    Some((
        DateTime::from_timestamp_micros(time.parse().ok()?)?,
        MailId::parse(id)?,
    ))
}

/// The id in the path; one that cannot be an id names no mail.
#[derive(Debug)]
struct WantedId(MailId);

impl<S: Send + Sync> FromRequestParts<S> for WantedId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let id = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::NotFound)?;
        MailId::parse(&id).map(Self).ok_or(Failure::NotFound)
    }
}

/// Why a request is not answered as asked.
#[derive(Clone, Copy, Debug)]
enum Failure {
    NotFound,
    Invalid {
        pointer: &'static str,
        detail: &'static str,
    },
    Internal,
}

const BAD_LIMIT: Failure = Failure::Invalid {
    pointer: "/limit",
    detail: "must be a number from 1 to 100",
};
const BAD_CURSOR: Failure = Failure::Invalid {
    pointer: "/cursor",
    detail: "must be the next_cursor of an answer",
};
const BAD_QUERY: Failure = Failure::Invalid {
    pointer: "",
    detail: "may name limit and cursor, once each, and nothing else",
};

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let (detail, pointer) = match self {
            Self::NotFound => ("No caught mail has this id.", None),
            Self::Invalid { pointer, detail } => (detail, Some(pointer)),
            Self::Internal => ("The caught mails cannot be read; the log says why.", None),
        };
        let errors: Vec<_> = pointer
            .iter()
            .map(|pointer| json!({"pointer": pointer, "detail": detail}))
            .collect();
        let problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": detail,
            "errors": errors,
        });
        (
            status,
            [(CONTENT_TYPE, "application/problem+json")],
            problem.to_string(),
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_the_position_it_names() {
        let position_of = (
            DateTime::from_timestamp_micros(1_763_000_000_123_456).unwrap(),
            MailId::of(b"x", "y"),
        );
        assert_eq!(position(&cursor(&position_of)), Some(position_of));
        for wrong in ["", ".", "1", "1.2", "x.y"] {
            assert_eq!(position(wrong), None);
        }
    }
}
