//! Changing a password, and choosing a new one by a link when it is forgotten. Whether an address is known shows in its mailbox
//! only: both cases take the same steps and get the same answer.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{FieldError, Json, Problem};
use chassis::rpc::ask;
use clients::Caller;
use clients::auth::Proof;
use clients::caller::token_hash;
use clients::notifier::{AccountMail, QueueAccountMail};
use clients::user::FindByEmail;
use envelope::UserId;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::registrations::Accepted;
use crate::account::{Email, Password, may_be_a_password};
use crate::error::Error;
use crate::store::{credentials, resets, sessions};
use crate::{App, proof};

/// A password in place of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password as it is.
    #[schema(format = "password", min_length = 1, max_length = 200)]
    password: String,
    /// The password as it shall be.
    #[schema(format = "password", min_length = 8, max_length = 200)]
    new_password: String,
}

/// Somebody who has forgotten their password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    /// Address of the account.
    #[schema(format = "email", max_length = 254)]
    email: String,
}

/// The link of a mail, and what is chosen by it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordReset {
    /// What stands behind `?token=` in it.
    token: String,
    /// The password as it shall be.
    #[schema(format = "password", min_length = 8, max_length = 200)]
    password: String,
}

/// Change my password. All my other sessions end, and a mail tells of it.
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "accounts", request_body = PasswordChange, security(("bearer" = [])),
    responses(
        (status = 204, description = "Changed"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password as it is is another one; or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased just now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, Error> {
    let user = caller.user;
    let (current, new) = change.parse()?;
    if !proof::holds(&app, user, Proof::Password(current)).await? {
        return Err(Error::NotReauthenticated);
    }
    let hash = app.passwords.hash(new.into_string()).await?;
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? || !credentials::set_password(&mut work, user, &hash).await? {
        return Err(Error::Erased);
    }
    sessions::delete_others(&mut work, user, caller.session).await?;
    resets::delete_all(&mut work, user).await?;
    work.commit().await?;
    app.authenticator.forget(user);
    tell_of_change(&app, user).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgot the password: a mail with a link by which a new one is chosen, if there is such an account.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset", tag = "accounts", request_body = NewLink,
    responses(
        (status = 202, description = "A mail is on its way, if there is such an account", body = Accepted),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn send_link(
    State(app): State<App>,
    Json(new): Json<NewLink>,
) -> Result<(StatusCode, Json<Accepted>), Error> {
    let email = Email::parse(&new.email).map_err(|detail| Problem::field("/email", detail))?;
    let email = email.into_string();
    // A mail to nobody is queued, too: it is dropped when it is to be written.
    let nobody = UserId(Uuid::nil());
    let user = ask(&app.bus, &FindByEmail { email }).await?;
    let user = user.unwrap_or(nobody);
    // Whoever asks for links all the time fills a mailbox that is not theirs; nobody learns that they stop coming.
    let (asked, now) = (
        app.attempts.account(&format!("reset {user}")),
        Instant::now(),
    );
    let user = match app.attempts.check(&asked, now) {
        Ok(()) => user,
        Err(_) => nobody,
    };
    app.attempts.failed(asked, now);
    let kind = AccountMail::Reset;
    match ask(&app.bus, &QueueAccountMail { user, kind }).await {
        Err(error) if error.refusal().is_none() => Err(error.into()),
        _ => Ok((StatusCode::ACCEPTED, Json(Accepted {}))),
    }
}

/// Choose a new password by the link of a mail, which works once. All sessions of the account end, and a mail tells of it.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset/confirm", tag = "accounts", request_body = PasswordReset,
    responses(
        (status = 200, description = "The password is as it was chosen", body = Accepted),
        (status = 400, description = "The link was used before or is too old", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reset(
    State(app): State<App>,
    Json(new): Json<PasswordReset>,
) -> Result<Json<Accepted>, Error> {
    let password = Password::parse(new.password);
    let password = password.map_err(|detail| Problem::field("/password", detail))?;
    let hash = app.passwords.hash(password.into_string()).await?;
    let mut work = app.database.begin().await?;
    let taken = resets::take(&mut work, &token_hash(&new.token), app.clock.micros()).await?;
    let user = taken.ok_or(Error::UnknownToken)?;
    if work.is_erased(user.0).await? || !credentials::set_password(&mut work, user, &hash).await? {
        return Err(Error::UnknownToken);
    }
    resets::delete_all(&mut work, user).await?;
    sessions::delete_all(&mut work, user).await?;
    work.commit().await?;
    app.authenticator.forget(user);
    tell_of_change(&app, user).await;
    Ok(Json(Accepted {}))
}

/// Whoever did not change it themselves should know. It is changed also when the mail cannot be queued.
async fn tell_of_change(app: &App, user: UserId) {
    let kind = AccountMail::PasswordChanged;
    if let Err(error) = ask(&app.bus, &QueueAccountMail { user, kind }).await {
        tracing::warn!(%error, "nobody is mailed that their password was changed");
    }
}

impl PasswordChange {
    fn parse(self) -> Result<(String, Password), Problem> {
        let current = may_be_a_password(&self.password);
        match (current, Password::parse(self.new_password)) {
            (Ok(()), Ok(new)) => Ok((self.password, new)),
            (current, new) => {
                let wrong = [("/password", current.err()), ("/new_password", new.err())];
                let errors = wrong.into_iter().filter_map(|(pointer, detail)| {
                    detail.map(|detail| FieldError::new(pointer, detail))
                });
                Err(Problem::fields(errors.collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_passwords_are_looked_at() {
        let change = PasswordChange {
            password: String::new(),
            new_password: "short".to_owned(),
        };
        let problem = serde_json::to_value(change.parse().err()).unwrap();
        assert_eq!(problem["errors"][0]["pointer"], "/password");
        assert_eq!(problem["errors"][1]["pointer"], "/new_password");
    }
}
