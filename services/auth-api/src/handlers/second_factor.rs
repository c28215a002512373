//! The caller's second factor: set up with the password, confirmed with a first code, switched off with both.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Problem};
use clients::Caller;
use clients::auth::Proof;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::secrets as made;
use crate::store::second_factors;
use crate::totp::{self, Secret};
use crate::{App, proof, second_factor};

const RECOVERY_CODES: usize = 10;

/// How a second factor stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactorView {
    /// Whether a code is asked for when the caller logs in.
    enabled: bool,
    /// How many codes for recovery are left.
    recovery_codes: i64,
}

/// What proves that the caller may have codes asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecondFactor {
    /// The caller's password.
    #[schema(format = "password")]
    password: String,
}

/// What an authenticator app needs; it is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct BegunSecondFactor {
    /// The secret in base 32, for typing it in.
    secret: String,
    /// The same as an address that apps open.
    uri: String,
    /// The address as a QR code, in SVG.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_svg: Option<String>,
}

/// A code that the app shows now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstCode {
    /// Six digits.
    #[schema(example = "287082")]
    code: String,
}

/// Codes for whoever has lost their app.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Each takes the place of an app's code, once. They are shown only now.
    recovery_codes: Vec<String>,
}

/// What proves that the caller has both factors.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BothFactors {
    /// The caller's password.
    #[schema(format = "password")]
    password: String,
    /// A code of the app, or one for recovery.
    code: String,
}

/// How my second factor stands.
#[utoipa::path(
    get, path = "/api/v1/auth/second-factor", tag = "accounts", security(("bearer" = [])),
    responses(
        (status = 200, description = "How it stands", body = SecondFactorView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SecondFactorView>, Error> {
    let mut session = app.database.read().await?;
    let known = second_factors::find(&mut session, caller.user).await?;
    Ok(Json(SecondFactorView {
        enabled: known.is_some_and(|known| known.is_confirmed),
        recovery_codes: second_factors::count_recovery(&mut session, caller.user).await?,
    }))
}

/// Set up an authenticator app. Nothing is asked for until a first code confirms it.
#[utoipa::path(
    post, path = "/api/v1/auth/second-factor", tag = "accounts", request_body = NewSecondFactor, security(("bearer" = [])),
    responses(
        (status = 201, description = "What the app needs", body = BegunSecondFactor),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password is wrong; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is one", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased just now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewSecondFactor>,
) -> Result<(StatusCode, Json<BegunSecondFactor>), Error> {
    let user = caller.user;
    if !proof::holds(&app, user, Proof::Password(new.password)).await? {
        return Err(Error::NotReauthenticated);
    }
    let secret = Secret::new(&app.clock);
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    let sealed = app.second_factors.seal(user, &secret);
    if !second_factors::begin(&mut work, user, &sealed).await? {
        return Err(Error::SecondFactorEnabled);
    }
    work.commit().await?;
    let uri = secret.uri();
    let begun = BegunSecondFactor {
        secret: secret.base32(),
        qr_svg: totp::qr(&uri),
        uri,
    };
    Ok((StatusCode::CREATED, Json(begun)))
}

/// Confirm that the app is set up: from now on its codes are asked for.
#[utoipa::path(
    post, path = "/api/v1/auth/second-factor/confirm", tag = "accounts", request_body = FirstCode, security(("bearer" = [])),
    responses(
        (status = 200, description = "It is on; these are for whoever loses the app", body = RecoveryCodes),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The code is wrong; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "None is being set up", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong codes; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Json(first): Json<FirstCode>,
) -> Result<Json<RecoveryCodes>, Error> {
    let user = caller.user;
    let account = app.attempts.account(&format!("user {user}"));
    app.attempts.check(&account, Instant::now())?;
    let mut work = app.database.begin().await?;
    let known = second_factors::find(&mut work, user).await?;
    let known = known.filter(|known| !known.is_confirmed);
    let known = known.ok_or(Error::NoSecondFactor)?;
    if !second_factor::take(&app, &mut work, (user, &known), &first.code).await? {
        app.attempts.failed(account, Instant::now());
        return Err(Error::NotReauthenticated);
    }
    second_factors::confirm(&mut work, user, app.clock.micros()).await?;
    let mut recovery_codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = made::recovery_code(&app.clock);
        let hash = made::code_hash(&app.code_key, user, &code);
        second_factors::add_recovery(&mut work, user, &hash).await?;
        recovery_codes.push(code);
    }
    work.commit().await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Switch my second factor off.
#[utoipa::path(
    post, path = "/api/v1/auth/second-factor/delete", tag = "accounts", request_body = BothFactors, security(("bearer" = [])),
    responses(
        (status = 204, description = "It is off"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password or the code is wrong; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong proofs; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Json(both): Json<BothFactors>,
) -> Result<StatusCode, Error> {
    let user = caller.user;
    if !proof::holds_with_code(&app, user, both.password, Some(&both.code)).await? {
        return Err(Error::NotReauthenticated);
    }
    let mut work = app.database.begin().await?;
    second_factors::delete(&mut work, user).await?;
    work.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
