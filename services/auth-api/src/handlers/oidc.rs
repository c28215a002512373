//! Logging in with the provider: away, back, and in, once who comes is known here or has said what is still missing.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use chassis::http::{Json, Problem, Query};
use clients::cookie::require_same_origin;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::sessions::{self, BegunSession, NOT_STORED};
use crate::App;
use crate::arrival::{Known, Said, known, let_in};
use crate::error::Error;
use crate::oidc::Provider;
use crate::oidc::kept::{Arrived, Away, Kept};
use crate::secrets::LOG_IN_LASTS;
use crate::store::{oidc, second_factors};

/// The page's view that goes on with whoever comes back.
const PAGE: &str = "/#provider";

/// Whom people may log in with.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderView {
    /// The provider, by its host's name; null where there is none.
    #[schema(example = "id.example.org")]
    provider: Option<String>,
}

/// What a provider sends back with somebody.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Callback {
    /// The step that the browser left with.
    state: Option<String>,
    /// What we ask the provider with who it is.
    code: Option<String>,
    /// Which provider it is (RFC 9207).
    iss: Option<String>,
}

/// Somebody who came back from the provider, and is not logged in yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct ArrivedView {
    /// The provider, by its host's name.
    provider: String,
    /// Their address, if the provider has seen that it is theirs.
    email: Option<String>,
    /// Their name, if the provider told one.
    name: String,
    /// What they have to send to be logged in.
    needs: Needs,
}

/// What is missing from somebody who came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// A code of their second factor.
    Code,
    /// The password of the account that has their address, and a code if it has a second factor: from then on they need neither
    /// password.
    Password,
    /// They are new: what a registration asks for.
    Registration,
    /// An address that the provider has seen to be theirs: without it nothing goes on.
    Address,
}

/// What somebody sends who came back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProviderSession {
    /// Of who is new: the name that is shown in mails.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Of who is new: the date of birth, where the deployment asks for it: it is compared with the minimum age and not kept.
    #[schema(format = Date, example = "1984-05-31")]
    born_on: Option<String>,
    /// Of who has an account: its password.
    #[schema(format = "password", min_length = 1, max_length = 200)]
    password: Option<String>,
    /// A code of the authenticator app, or one for recovery, of who has a second factor.
    #[schema(max_length = 100)]
    code: Option<String>,
}

impl From<NewProviderSession> for Said {
    fn from(new: NewProviderSession) -> Self {
        Self {
            name: new.name,
            born_on: new.born_on,
            password: new.password,
            code: new.code,
        }
    }
}

/// Whom people may log in with, beside their password.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc", operation_id = "show_provider", tag = "accounts",
    responses((status = 200, description = "The provider", body = ProviderView))
)]
pub(crate) async fn show(State(app): State<App>) -> Json<ProviderView> {
    let provider = app.provider.as_ref().map(|provider| provider.name.clone());
    Json(ProviderView { provider })
}

/// Go to the provider to log in: for a browser, which keeps what the way back needs.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/start", operation_id = "leave_for_provider", tag = "accounts",
    responses(
        (status = 303, description = "To the provider", headers(("Location" = String, description = "The provider"), ("Set-Cookie" = String, description = "What the way back needs"))),
        (status = 404, description = "There is no provider", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts from this address; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(State(app): State<App>) -> Result<impl IntoResponse, Error> {
    let provider = provider(&app)?;
    let step = app.clock.random_id();
    let (address, away) = provider.leave(step, &app.clock).await?;
    add_step(&app, step).await?;
    Ok(see_other(address, keep(&app, &away)?))
}

/// Come back from the provider. Whatever came of it, the page goes on.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/callback", operation_id = "return_from_provider", tag = "accounts", params(Callback),
    responses(
        (status = 303, description = "To the page", headers(("Location" = String, description = "The page"), ("Set-Cookie" = String, description = "Who came back; nothing where that is not known"))),
        (status = 404, description = "There is no provider", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter stands there twice", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn callback(
    State(app): State<App>,
    headers: HeaderMap,
    Query(sent): Query<Callback>,
) -> Result<impl IntoResponse, Error> {
    provider(&app)?;
    let cookie = match arrive(&app, &headers, sent).await {
        Ok(arrived) => keep(&app, &arrived)?,
        Err(error) => {
            tracing::warn!(%error, "nobody came back from the provider");
            forget(&app)
        }
    };
    Ok(see_other(PAGE.to_owned(), cookie))
}

/// Who came back from the provider with this browser, and what they have to send to be logged in.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/session", operation_id = "show_arrival", tag = "accounts",
    responses(
        (status = 200, description = "Who came back", body = ArrivedView),
        (status = 404, description = "Nobody, or too long ago (`no-arrival`)", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn arrival(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Error> {
    let provider = provider(&app)?;
    let arrived = arrived(&app, &headers).await?;
    let needs = match known(&app, &arrived).await? {
        Known::Linked(user) => {
            let mut session = app.database.read().await?;
            let factor = second_factors::find(&mut session, user).await?;
            if factor.is_some_and(|factor| factor.is_confirmed) {
                Needs::Code
            } else {
                Needs::Nothing
            }
        }
        Known::SameAddress(_) => Needs::Password,
        Known::Nobody(_) => Needs::Registration,
        Known::NoAddress => Needs::Address,
    };
    let view = ArrivedView {
        provider: provider.name.clone(),
        email: arrived.email,
        name: arrived.name,
        needs,
    };
    Ok((NOT_STORED, Json(view)))
}

/// Log in as who came back from the provider; the token goes into a cookie.
#[utoipa::path(
    post, path = "/api/v1/auth/oidc/session", operation_id = "begin_provider_session", tag = "accounts", request_body = NewProviderSession,
    responses(
        (status = 200, description = "Logged in", body = BegunSession, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "A code is missing (`second-factor-required`) or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password or the code is wrong, the provider vouches for no address, or the user is shut out for a time; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody came back, or too long ago (`no-arrival`)", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased just now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong or missing, or the age too low", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts, at this account or from this address; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    parts: Parts,
    Json(new): Json<NewProviderSession>,
) -> Result<impl IntoResponse, Error> {
    // Nobody else may log a browser in as somebody they know.
    require_same_origin(&parts)?;
    provider(&app)?;
    let arrived = arrived(&app, &parts.headers).await?;
    let user = let_in(&app, &arrived, new.into()).await?;
    let mut session = sessions::begin(&app, user).await?;
    let cookie = sessions::into_cookie(&app, &mut session);
    // One appends; the other cookie must stay.
    let gone = AppendHeaders([forget(&app)]);
    Ok((NOT_STORED, cookie, gone, Json(session)))
}

fn provider(app: &App) -> Result<&Provider, Error> {
    let provider = app.provider.as_ref();
    provider.ok_or_else(|| Problem::not_found().into())
}

fn see_other(to: String, cookie: (HeaderName, String)) -> impl IntoResponse {
    (
        StatusCode::SEE_OTHER,
        NOT_STORED,
        [(header::LOCATION, to), cookie],
    )
}

fn keep<K: Kept>(app: &App, kept: &K) -> Result<(HeaderName, String), Error> {
    let sealed = provider(app)?.seals.seal(kept);
    let sealed = sealed.map_err(|error| Problem::internal(&error))?;
    let cookie = app.authenticator.cookie();
    let cookie = cookie.keep_away(&sealed, LOG_IN_LASTS.num_seconds());
    Ok((header::SET_COOKIE, cookie))
}

fn forget(app: &App) -> (HeaderName, String) {
    let cookie = app.authenticator.cookie().keep_away("", 0);
    (header::SET_COOKIE, cookie)
}

fn kept<K: Kept>(app: &App, headers: &HeaderMap) -> Result<K, Error> {
    let cookie = app.authenticator.cookie().away(headers)?;
    let kept = cookie.and_then(|cookie| provider(app).ok()?.seals.open(cookie));
    kept.ok_or(Error::NoArrival)
}

async fn add_step(app: &App, step: Uuid) -> Result<(), Error> {
    let until = (app.clock.now() + LOG_IN_LASTS).timestamp_micros();
    let mut work = app.database.begin().await?;
    oidc::add_step(&mut work, step, until).await?;
    Ok(work.commit().await?)
}

/// Who it is that the provider sends back to the browser that left with this step. The step is taken, whatever comes of it.
async fn arrive(app: &App, headers: &HeaderMap, sent: Callback) -> Result<Arrived, Error> {
    let provider = provider(app)?;
    let away: Away = kept(app, headers)?;
    let is_ours = sent.state.as_deref() == Some(away.step.to_string().as_str())
        && sent.iss.is_none_or(|iss| provider.is_issuer(&iss));
    let mut work = app.database.begin().await?;
    let is_taken = oidc::take_step(&mut work, away.step, app.clock.micros()).await?;
    work.commit().await?;
    let code = sent.code.filter(|_| is_ours && is_taken);
    let code = code.ok_or(Error::NoArrival)?;
    let arrived = provider.arrive(code, away, app.clock.random_id()).await?;
    add_step(app, arrived.step).await?;
    Ok(arrived)
}

/// Who came back with this browser and is not logged in yet.
async fn arrived(app: &App, headers: &HeaderMap) -> Result<Arrived, Error> {
    let arrived: Arrived = kept(app, headers)?;
    let mut session = app.database.read().await?;
    if oidc::has_step(&mut session, arrived.step, app.clock.micros()).await? {
        Ok(arrived)
    } else {
        Err(Error::NoArrival)
    }
}
