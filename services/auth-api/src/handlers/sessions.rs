//! Logging in and out, and one's own sessions.

use std::time::Instant;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use chassis::database::DatabaseError;
use chassis::http::{
    ClientAddress, Cursor, FieldError, Json, List, ListQuery, PageRequest, Path, Problem, Query,
};
use chassis::rpc::ask;
use chassis::unit_of_work::Draft;
use chrono::{DateTime, Utc};
use clients::Caller;
use clients::cookie::require_same_origin;
use clients::user::FindByEmail;
use envelope::{UserId, user};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::{Email, may_be_a_password};
use crate::error::Error;
use crate::secrets::{self, SESSION_LASTS};
use crate::store::credentials::{self, Standing};
use crate::store::sessions::{self, Row};
use crate::store::suspensions;
use crate::{App, second_factor, suspension};

/// Tokens are for whoever asked, not for caches on the way.
pub(crate) const NOT_STORED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Somebody who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    /// Address of the account.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// Password of the account.
    #[schema(format = "password", min_length = 1, max_length = 200)]
    password: String,
    /// A code of the authenticator app, or one for recovery, of who has a second factor.
    #[schema(max_length = 100)]
    code: Option<String>,
    /// Where the token goes: into the answer, or into a cookie that no script can read, for pages of this origin.
    #[serde(default)]
    token_in: TokenIn,
}

/// Where the token of a new session goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenIn {
    /// Into the answer.
    #[default]
    Body,
    /// Into a cookie.
    Cookie,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct BegunSession {
    /// Send it as `Authorization: Bearer TOKEN`; it is shown only now, and not at all where a cookie holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// Who is logged in.
    user: UserView,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// The user's id.
    id: Uuid,
}

/// A session that has not ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// Its id.
    id: Uuid,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    current: bool,
}

/// Log in.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "accounts", request_body = NewSession,
    responses(
        (status = 200, description = "Logged in", body = BegunSession, headers(("Set-Cookie" = Option<String>, description = "The session, if a cookie was asked for"))),
        (status = 401, description = "Address and password do not belong together, or the address is not confirmed; or a code is missing (`second-factor-required`) or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The user is shut out for a time; see Retry-After. Or a page of another origin asked for a cookie", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased just now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts, at this account or from this address; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    parts: Parts,
    client: ClientAddress,
    Json(new): Json<NewSession>,
) -> Result<impl IntoResponse, Error> {
    let token_in = new.token_in;
    if token_in == TokenIn::Cookie {
        // Nobody else may log a browser in as somebody they know.
        require_same_origin(&parts)?;
    }
    let user = authenticate(&app, client, new.parse()?).await?;
    let mut session = begin(&app, user).await?;
    let cookie = match token_in {
        TokenIn::Body => None,
        TokenIn::Cookie => into_cookie(&app, &mut session),
    };
    Ok((NOT_STORED, cookie, Json(session)))
}

/// Log out: the token is dead from now on, and the cookie that held it goes.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "accounts", security(("bearer" = [])),
    responses(
        (status = 204, description = "Logged out"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end(
    State(app): State<App>,
    caller: Caller,
) -> Result<impl IntoResponse, Error> {
    remove(&app, caller.user, caller.session).await?;
    let cookie = app.authenticator.cookie().clear();
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// My sessions, the newest first.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "accounts", params(ListQuery), security(("bearer" = [])),
    responses(
        (status = 200, description = "My sessions", body = List<SessionView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad limit or cursor", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<SessionView>>, Error> {
    let page = PageRequest::<Cursor<i64>>::new(query.limit, query.cursor.as_deref())?;
    let before = page.after.unwrap_or(Cursor::before_all(i64::MAX));
    let now = app.clock.micros();
    let mut session = app.database.read().await?;
    let before = (before.key, before.id);
    let rows = sessions::list(&mut session, caller.user, now, before, page.rows_to_read()).await?;
    let views: Result<Vec<_>, _> = rows.iter().map(|row| view(row, caller.session)).collect();
    Ok(Json(page.list(views?, cursor)))
}

/// One of my sessions.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such session of mine", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<SessionView>, Error> {
    let mut session = app.database.read().await?;
    let row = sessions::show(&mut session, caller.user, id, app.clock.micros()).await?;
    let row = row.ok_or(Error::NoSuchSession)?;
    Ok(Json(view(&row, caller.session)?))
}

/// End all my sessions, the one that asks included: their tokens are dead from now on.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions", tag = "accounts", security(("bearer" = [])),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_all(
    State(app): State<App>,
    caller: Caller,
) -> Result<StatusCode, Error> {
    end_all(&app, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of a user.
pub(crate) async fn end_all(app: &App, user: UserId) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    sessions::delete_all(&mut work, user).await?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(())
}

/// End one of my sessions: its token is dead from now on.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such session of mine", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Error> {
    if remove(&app, caller.user, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::NoSuchSession)
    }
}

/// What proves who somebody is.
struct Factors {
    email: Email,
    password: String,
    code: Option<String>,
}

impl NewSession {
    fn parse(self) -> Result<Factors, Problem> {
        let email = Email::parse(&self.email);
        let password = may_be_a_password(&self.password);
        match (email, password) {
            (Ok(email), Ok(())) => Ok(Factors {
                email,
                password: self.password,
                code: self.code,
            }),
            (email, password) => {
                let wrong = [("/email", email.err()), ("/password", password.err())];
                let errors = wrong.into_iter().filter_map(|(pointer, detail)| {
                    detail.map(|detail| FieldError::new(pointer, detail))
                });
                Err(Problem::fields(errors.collect()))
            }
        }
    }
}

/// Who has this address and password. An unknown address, an unconfirmed one and a wrong password
/// take the same steps.
async fn authenticate(app: &App, client: ClientAddress, factors: Factors) -> Result<UserId, Error> {
    let Factors {
        email,
        password,
        code,
    } = factors;
    let login = app.attempts.login(&email.normalised(), client.network());
    app.attempts.check_login(&login, Instant::now())?;
    let email = email.into_string();
    let known = ask(&app.bus, &FindByEmail { email }).await?;
    let user = known.unwrap_or(UserId(Uuid::nil()));
    let mut session = app.database.read().await?;
    let credential = credentials::find(&mut session, user).await?;
    drop(session);
    let usable = credential.filter(|found| found.standing == Standing::Confirmed);
    let place = app.passwords.place().await?;
    // Others may have failed while this attempt waited for its turn.
    app.attempts.check_login(&login, Instant::now())?;
    let expected = usable.map(|found| found.password);
    let proven = if app.passwords.verify(place, password, expected).await? {
        second_factor::require(app, user, code.as_deref()).await
    } else {
        Err(Error::WrongCredentials)
    };
    match &proven {
        Ok(()) => app.attempts.logged_in(&login),
        Err(Error::WrongCredentials | Error::WrongCode) => {
            app.attempts.login_failed(login, Instant::now());
        }
        Err(_) => {}
    }
    proven.map(|()| user)
}

/// Begins a session of somebody who proved who they are.
pub(crate) async fn begin(app: &App, user: UserId) -> Result<BegunSession, Error> {
    let token = secrets::token(&app.clock);
    let now = app.clock.now();
    let expires_at = now + SESSION_LASTS;
    let row = Row {
        id: app.clock.random_id(),
        created_at: now.timestamp_micros(),
        expires_at: expires_at.timestamp_micros(),
    };
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    if let Some(until) = suspensions::until(&mut work, user, now.timestamp_micros()).await? {
        let until = suspension::time(until)?;
        return Err(Error::Suspended(until, until - now));
    }
    sessions::insert(&mut work, user, &token.hash, &row).await?;
    work.publish(Draft::new(user::Login { user: user.into() }))?;
    work.commit().await?;
    Ok(BegunSession {
        token: Some(token.text),
        expires_at,
        user: UserView { id: user.0 },
    })
}

/// Moves the token of a session from the answer into a cookie.
pub(crate) fn into_cookie(
    app: &App,
    session: &mut BegunSession,
) -> Option<[(HeaderName, String); 1]> {
    let token = session.token.take()?;
    let cookie = app.authenticator.cookie();
    let cookie = cookie.keep(&token, SESSION_LASTS.num_seconds());
    Some([(header::SET_COOKIE, cookie)])
}

async fn remove(app: &App, user: UserId, id: Uuid) -> Result<bool, Error> {
    let mut work = app.database.begin().await?;
    let found = sessions::delete(&mut work, user, id).await?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(found)
}

fn view(row: &Row, current: Uuid) -> Result<SessionView, DatabaseError> {
    Ok(SessionView {
        id: row.id,
        created_at: time(row.created_at)?,
        expires_at: time(row.expires_at)?,
        current: row.id == current,
    })
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("session times"))
}

fn cursor(view: &SessionView) -> String {
    let (key, id) = (view.created_at.timestamp_micros(), view.id);
    Cursor { key, id }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_account_is_pointed_at() {
        let new = NewSession {
            email: "ada".to_owned(),
            password: String::new(),
            code: None,
            token_in: TokenIn::default(),
        };
        let problem = serde_json::to_value(new.parse().err()).unwrap();
        assert_eq!(problem["errors"][0]["pointer"], "/email");
        assert_eq!(problem["errors"][1]["pointer"], "/password");
    }
}
