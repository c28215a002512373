//! Proving again who one is, before what a stolen token must not be enough for.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Problem};
use clients::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::account::may_be_a_password;
use crate::error::Error;
use crate::store::sessions;
use crate::{App, proof};

/// What proves it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProof {
    /// The caller's password.
    #[schema(format = "password", min_length = 1, max_length = 200)]
    password: String,
    /// A code of the authenticator app, or one for recovery, of who has a second factor.
    #[schema(max_length = 100)]
    code: Option<String>,
}

/// Prove again who I am: for a quarter of an hour this session may do what asks for it (`reauthentication-required`).
#[utoipa::path(
    post, path = "/api/v1/auth/reauthenticate", tag = "accounts", request_body = NewProof, security(("bearer" = [])),
    responses(
        (status = 204, description = "Proven"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password or the code is wrong; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, or a code is missing", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong proofs; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewProof>,
) -> Result<StatusCode, Error> {
    may_be_a_password(&new.password).map_err(|detail| Problem::field("/password", detail))?;
    let user = caller.user;
    match proof::holds_with_code(&app, user, new.password, new.code.as_deref()).await {
        Ok(true) => {}
        Ok(false) => return Err(Error::NotReauthenticated),
        // A 401 would say that the token is not good.
        Err(Error::SecondFactorRequired) => {
            return Err(Problem::field("/code", "is asked for beside the password").into());
        }
        Err(error) => return Err(error),
    }
    let mut work = app.database.begin().await?;
    sessions::prove(&mut work, user, caller.session, app.clock.micros()).await?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(StatusCode::NO_CONTENT)
}
