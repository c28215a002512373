//! Registering, and confirming it, or a new address, by the link that was mailed. Whether an address is known shows
//! in its mailbox only: both cases take the same steps and get the same answer.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{FieldError, Json, Problem};
use chassis::rpc::{AskError, ask};
use chassis::unit_of_work::{Draft, Work};
use chrono::NaiveDate;
use clients::auth::Role;
use clients::caller::token_hash;
use clients::notifier::{AccountMail, QueueAccountMail};
use clients::user::{ConfirmAddress, FindOrCreate};
use envelope::{UserId, user};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::account::{Email, Name, Password};
use crate::age::Gate;
use crate::error::Error;
use crate::store::credentials::{self, Standing};
use crate::store::secrets;

/// Somebody who wants an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// Address to log in with.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// Password to log in with.
    #[schema(format = "password", min_length = 8, max_length = 200)]
    password: String,
    /// Name that is shown in mails.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Date of birth, where the deployment asks for it: it is compared with the minimum age and not kept.
    #[schema(format = Date, example = "1984-05-31")]
    born_on: Option<String>,
}

/// It was taken in; there is nothing to tell.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {}

/// The link of a confirmation mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConfirmation {
    /// What stands behind `?token=` in it.
    token: String,
}

struct Registration {
    email: Email,
    password: Password,
    name: Name,
}

/// Register: a mail with a link, or with the news that there is an account already.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "accounts", request_body = NewAccount,
    responses(
        (status = 202, description = "A mail is on its way, if the address exists", body = Accepted),
        (status = 422, description = "A field is wrong, or the age too low: nothing is kept then", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Json(new): Json<NewAccount>,
) -> Result<(StatusCode, Json<Accepted>), Error> {
    let Registration {
        email,
        password,
        name,
    } = new.parse(app.age_gate, app.clock.now().date_naive())?;
    let question = FindOrCreate {
        email: email.into_string(),
        name: name.into_string(),
    };
    let user = ask(&app.bus, &question).await.map_err(refused_field)?;
    let password = app.passwords.hash(password.into_string()).await?;
    let standing = register(&app, user, &password).await?;
    let kind = match standing {
        Standing::Pending => AccountMail::Confirm,
        Standing::Confirmed => AccountMail::AlreadyRegistered,
    };
    ask(&app.bus, &QueueAccountMail { user, kind }).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted {})))
}

async fn register(app: &App, user: UserId, password: &str) -> Result<Standing, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        // UserAPI is about to forget the address too; then it may register anew.
        return Err(Problem::unavailable().into());
    }
    let standing = credentials::register(&mut work, user, password, app.clock.micros()).await?;
    work.commit().await?;
    Ok(standing)
}

/// Confirm a registration, so that its user may log in, or a new address, which they log in with from then on.
#[utoipa::path(
    post, path = "/api/v1/auth/confirm", tag = "accounts", request_body = NewConfirmation,
    responses(
        (status = 200, description = "The account may be used, with this address", body = Accepted),
        (status = 400, description = "The link was used before or is too old", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Json(new): Json<NewConfirmation>,
) -> Result<Json<Accepted>, Error> {
    let now = app.clock.micros();
    let mut work = app.database.begin().await?;
    let taken = secrets::take_confirmation(&mut work, &token_hash(&new.token), now).await?;
    let Some(confirmation) = taken else {
        drop(work);
        return confirm_address(&app, new.token).await;
    };
    let user = confirmation.user;
    if work.is_erased(user.0).await? {
        return Err(Error::UnknownToken);
    }
    if !credentials::confirm(&mut work, user, &confirmation.password, now).await? {
        return Err(Error::UnknownToken);
    }
    secrets::delete_confirmations(&mut work, user).await?;
    work.publish(Draft::new(user::Register { user: user.into() }))?;
    work.commit().await?;
    Ok(Json(Accepted {}))
}

/// A link that is no registration's may have been mailed to a new address, which UserAPI knows.
async fn confirm_address(app: &App, token: String) -> Result<Json<Accepted>, Error> {
    match ask(&app.bus, &ConfirmAddress { token }).await {
        Ok(()) => Ok(Json(Accepted {})),
        Err(error) if error.refusal() == Some("unknown-token") => Err(Error::UnknownToken),
        Err(error) => Err(error.into()),
    }
}

impl NewAccount {
    /// Checks all fields, so that a client learns of every wrong one at once. The date of birth ends here.
    fn parse(self, gate: Gate, today: NaiveDate) -> Result<Registration, Problem> {
        let age = gate.check(self.born_on.as_deref(), today);
        let email = Email::parse(&self.email);
        let password = Password::parse(self.password);
        let name = Name::parse(&self.name);
        match (email, password, name, age) {
            (Ok(email), Ok(password), Ok(name), Ok(())) => Ok(Registration {
                email,
                password,
                name,
            }),
            (email, password, name, age) => {
                let wrong = [
                    ("/email", email.err().map(str::to_owned)),
                    ("/password", password.err().map(str::to_owned)),
                    ("/name", name.err().map(str::to_owned)),
                    ("/born_on", age.err().map(|refused| refused.to_string())),
                ];
                let errors = wrong.into_iter().filter_map(|(pointer, detail)| {
                    detail.map(|detail| FieldError::new(pointer, detail))
                });
                Err(Problem::fields(errors.collect()))
            }
        }
    }
}

/// Makes the account of somebody whose address is known to be theirs, in place of a registration that waits. Says whether there was none.
pub(crate) async fn create_confirmed(
    app: &App,
    work: &mut Work,
    (user, password): (UserId, &str),
    role: Role,
) -> Result<bool, Error> {
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    let now = app.clock.micros();
    if !credentials::create(work, user, password, role, now).await? {
        return Ok(false);
    }
    secrets::delete_confirmations(work, user).await?;
    work.publish(Draft::new(user::Register { user: user.into() }))?;
    Ok(true)
}

/// UserAPI has the last word on addresses and names.
pub(crate) fn refused_field(error: AskError) -> Error {
    match error.refusal() {
        Some("invalid-email") => {
            Problem::field("/email", "is not an address we can write to").into()
        }
        Some("invalid-name") => Problem::field("/name", "is not a name we can show").into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use chassis::settings::Settings;

    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let new = NewAccount {
            email: "ada".to_owned(),
            password: "short".to_owned(),
            name: " ".to_owned(),
            born_on: Some("tomorrow".to_owned()),
        };
        let gate = Gate::new(&Settings::default());
        let problem = new.parse(gate, NaiveDate::default()).err();
        let problem = serde_json::to_value(problem).unwrap();
        let pointers: Vec<_> = [0, 1, 2, 3]
            .map(|i| problem["errors"][i]["pointer"].clone())
            .into();
        assert_eq!(pointers, ["/email", "/password", "/name", "/born_on"]);
        assert_eq!(problem["status"], 422);
    }
}
