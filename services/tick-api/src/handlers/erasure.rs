//! A person asks to be forgotten.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use chassis::http::{FieldError, Json, Problem};
use chassis::rpc::ask;
use chassis::settings::AuthMode;
use chrono::{DateTime, Utc};
use clients::Caller;
use clients::auth::{EndSessions, Proof, Reauthenticate, SendCode};
use clients::user::{OpenErasure, OpenedErasure};
use envelope::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;

const LONGEST_PROOF: usize = 1024;

/// What proves who the caller is: either of both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureRequest {
    /// The password.
    password: Option<String>,
    /// A code that was mailed.
    code: Option<String>,
}

/// An erasure request that is on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedErasure {
    /// The secret by which its progress is asked for.
    request_id: String,
    /// Where its progress is told.
    status_url: String,
    /// The day by which the law wants it done.
    due_at: DateTime<Utc>,
}

impl ErasureRequest {
    fn proof(self) -> Result<Proof, Problem> {
        let (pointer, proof) = match (self.password, self.code) {
            (Some(password), None) => ("/password", Proof::Password(password)),
            (None, Some(code)) => ("/code", Proof::Code(code)),
            (None, None) => return Err(Problem::field("/password", "send a password or a code")),
            (Some(_), Some(_)) => {
                let detail = "send either a password or a code";
                let both = ["/password", "/code"].map(|pointer| FieldError::new(pointer, detail));
                return Err(Problem::fields(both.into()));
            }
        };
        let (Proof::Password(text) | Proof::Code(text)) = &proof;
        if !(1..=LONGEST_PROOF).contains(&text.len()) {
            let detail = format!("must have 1 to {LONGEST_PROOF} bytes");
            return Err(Problem::field(pointer, detail));
        }
        Ok(proof)
    }
}

/// Erases the caller: account, images, ticks, ratings and everything else that names them, everywhere.
#[utoipa::path(
    post, path = "/api/v1/gdpr/delete", operation_id = "request_erasure", tag = "gdpr", security(("bearer" = [])),
    request_body = ErasureRequest,
    responses(
        (status = 202, description = "From now on nothing about the caller is accepted; the session ends.", body = AcceptedErasure),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password or code is wrong.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The account is being deleted already.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong proofs; see Retry-After.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Nothing was changed; try again.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<ErasureRequest>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<AcceptedErasure>), Error> {
    let user = caller.user;
    let proof = request.proof()?;
    // Whoever is being erased has no password any more that could be right.
    if app.database.is_erased(user.0).await? {
        return Err(Error::CallerGone);
    }
    reauthenticate(&app, user, proof).await?;
    let opened = open(&app, user).await?;
    // From here on it is promised; the event follows when UserAPI asks for it.
    let mut work = app.database.begin().await?;
    work.fence(&[user.0]).await?;
    work.commit().await?;
    end_sessions(&app, user).await;
    let accepted = AcceptedErasure {
        status_url: format!("/api/v1/gdpr/requests/{}", opened.request_id),
        request_id: opened.request_id,
        due_at: opened.due_at,
    };
    let cookie = [(header::SET_COOKIE, app.authenticator.cookie().clear())];
    Ok((StatusCode::ACCEPTED, cookie, Json(accepted)))
}

/// Mails the caller a code that takes the place of the password.
#[utoipa::path(
    post, path = "/api/v1/gdpr/code", operation_id = "send_erasure_code", tag = "gdpr", security(("bearer" = [])),
    responses(
        (status = 202, description = "The mail is on its way."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The account is being deleted already.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn send_code(State(app): State<App>, caller: Caller) -> Result<StatusCode, Error> {
    // In trust mode nobody has an address.
    if app.auth_mode != AuthMode::Trust {
        let asked = ask(&app.bus, &SendCode { user: caller.user }).await;
        asked.map_err(|error| match error.refusal() {
            Some("unknown-user") => Error::CallerGone,
            _ => error.into(),
        })?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// Somebody whose erasure is further on already is nobody here any more.
async fn open(app: &App, user: UserId) -> Result<OpenedErasure, Error> {
    let asked = ask(&app.bus, &OpenErasure { user }).await;
    asked.map_err(|error| match error.refusal() {
        Some("erased") => Error::CallerGone,
        _ => error.into(),
    })
}

/// Here the tokens are dead at once. Should AuthAPI be away, the event ends the sessions.
async fn end_sessions(app: &App, user: UserId) {
    if let Err(error) = ask(&app.bus, &EndSessions { user }).await {
        tracing::warn!(%error, "the sessions of somebody who is being erased end a little later");
    }
    app.authenticator.forget(user);
}

/// In trust mode there are no passwords that could be wrong.
async fn reauthenticate(app: &App, user: UserId, proof: Proof) -> Result<(), Error> {
    if app.auth_mode == AuthMode::Trust {
        return Ok(());
    }
    let asked = ask(&app.bus, &Reauthenticate { user, proof }).await;
    asked.map_err(|error| match error.refusal() {
        Some("wrong-password" | "wrong-code") => Error::NotReauthenticated,
        Some("too-many-attempts") => Error::TooManyAttempts,
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(password: Option<&str>, code: Option<&str>) -> Result<Proof, u16> {
        let request = ErasureRequest {
            password: password.map(str::to_owned),
            code: code.map(str::to_owned),
        };
        request.proof().map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn exactly_one_proof_is_taken() {
        assert!(matches!(
            proof(Some("secret"), None),
            Ok(Proof::Password(_))
        ));
        assert!(matches!(proof(None, Some("12345678")), Ok(Proof::Code(_))));
        for (password, code) in [(None, None), (Some("a"), Some("b")), (Some(""), None)] {
            assert_eq!(proof(password, code).err(), Some(422));
        }
    }
}
