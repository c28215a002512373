//! The link in each mail about ratings. Mail programs and scanners open links by themselves, so
//! only a POST (RFC 8058) changes anything.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use chassis::http::{Path, Problem};
use chassis::rpc::{AskError, ask};
use clients::caller::token_hash;
use clients::user::{Notifications, SetNotifications};
use envelope::UserId;

use crate::error::Error;
use crate::letter::Language;
use crate::{App, store};

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// A button.
    Ask,
    /// The button was pressed.
    Done,
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    language: Language,
    page: Page,
}

/// A page with a button; changes nothing.
#[utoipa::path(
    get,
    path = "/unsubscribe/{token}",
    tag = "mail",
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "A page with a button that unsubscribes", body = String, content_type = "text/html"),
        (status = 404, description = "Nobody's link", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    user(&app, &token).await?;
    render(Language::accepted(&headers), Page::Ask)
}

/// No more mails about ratings. Needs no session, may be repeated, ignores its body.
#[utoipa::path(
    post,
    path = "/unsubscribe/{token}",
    tag = "mail",
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "No more mails about ratings", body = String, content_type = "text/html"),
        (status = 404, description = "Nobody's link", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    let user = user(&app, &token).await?;
    turn_off(&app, user).await?;
    let mut work = app.database.begin().await?;
    store::ratings::forget(&mut work, user, app.clock.micros()).await?;
    work.commit().await?;
    render(Language::accepted(&headers), Page::Done)
}

async fn user(app: &App, token: &str) -> Result<UserId, Error> {
    let mut session = app.database.read().await?;
    let user = store::unsubscribes::user(&mut session, &token_hash(token)).await?;
    user.ok_or(Error::NobodysLink)
}

/// Somebody who is no longer known gets no mails anyway.
async fn turn_off(app: &App, user: UserId) -> Result<(), AskError> {
    let question = SetNotifications {
        user,
        notifications: Notifications::Off,
    };
    match ask(&app.bus, &question).await {
        Err(error) if error.refusal().is_none() => Err(error),
        _ => Ok(()),
    }
}

fn render(language: Language, page: Page) -> Result<Response, Error> {
    let private = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let html = Html(UnsubscribePage { language, page }.render()?);
    Ok((private, html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_that_asks_has_a_button() {
        for language in Language::ALL {
            for (page, buttons) in [(Page::Ask, 1), (Page::Done, 0)] {
                let html = UnsubscribePage { language, page }.render().unwrap();
                assert_eq!(html.matches("<button").count(), buttons, "{page:?}");
                assert_eq!(html.matches("method=\"post\"").count(), buttons);
                assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
            }
        }
    }
}
