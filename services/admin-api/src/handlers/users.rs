//! Accounts: find one, see how it stands, end its sessions, shut its user out for a time.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Path, Problem};
use chassis::rpc::{AskError, ask};
use chrono::{DateTime, TimeDelta, Utc};
use clients::Proven;
use clients::auth::{EndSessions, Role, ShowAccount, Suspend};
use clients::user::FindByEmail;
use envelope::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::erasures::Because;
use crate::App;
use crate::audit::{
    self, Reason, SESSIONS_ENDED, SUSPENSION_LIFTED, USER_LOOKED_UP, USER_SUSPENDED,
};
use crate::error::Error;
use crate::guard::{Admin, Moderator};

/// Nobody is shut out for longer than a year; who must never come back is another matter.
const LONGEST_SUSPENSION: TimeDelta = TimeDelta::days(365);

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct SelfView {
    /// What they may do here.
    role: Role,
}

/// Whose account is looked for, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserSearch {
    /// Address of the account.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// An account. It says neither address nor name.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// Its user's id.
    id: Uuid,
    /// What the user may do.
    role: Role,
    /// When the account was made.
    created_at: DateTime<Utc>,
    /// Whether its address is confirmed.
    is_confirmed: bool,
    /// Until when its user may not log in; null if they may.
    #[schema(required)]
    suspended_until: Option<DateTime<Utc>>,
    /// How often its user is logged in.
    sessions: i64,
}

/// For how long somebody is shut out, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSuspension {
    /// Until when, a year from now at most; null lets them in again.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What the caller may do here.
#[utoipa::path(
    get, path = "/api/v1/admin/me", operation_id = "show_admin", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller's role", body = SelfView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not a moderator", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn me(caller: Moderator) -> Json<SelfView> {
    Json(SelfView { role: caller.role })
}

/// Find an account by its address. Looking is recorded in the audit log before the answer is given.
#[utoipa::path(
    post, path = "/api/v1/admin/users/search", operation_id = "find_user", tag = "admin", security(("bearer" = [])), request_body = UserSearch,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or nobody has this address", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(
    Admin(by): Admin,
    State(app): State<App>,
    Json(search): Json<UserSearch>,
) -> Result<Json<AccountView>, Error> {
    let reason =
        Reason::parse(&search.reason).map_err(|detail| Problem::field("/reason", detail))?;
    let question = FindByEmail {
        email: search.email.trim().to_owned(),
    };
    let user = ask(&app.bus, &question).await?.ok_or(Error::NoSuchUser)?;
    audit::tell_of_user(&app, by, (USER_LOOKED_UP, user), reason.into_string()).await?;
    account(&app, user).await.map(Json)
}

/// An account, by its user's id.
#[utoipa::path(
    get, path = "/api/v1/admin/users/{id}", operation_id = "show_user", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user")),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not a moderator, or no such user", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    _: Moderator,
    State(app): State<App>,
    Path(id): Path<Uuid>,
) -> Result<Json<AccountView>, Error> {
    account(&app, UserId(id)).await.map(Json)
}

/// Log somebody out everywhere: their tokens are dead from now on.
#[utoipa::path(
    post, path = "/api/v1/admin/users/{id}/logout", operation_id = "log_user_out", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user")), request_body = Because,
    responses(
        (status = 204, description = "All their sessions ended"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such user", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn log_out(
    Admin(by): Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<StatusCode, Error> {
    let (user, reason) = (UserId(id), because.parse()?);
    account(&app, user).await?;
    ask(&app.bus, &EndSessions { user }).await?;
    audit::tell_of_user(&app, by, (SESSIONS_ENDED, user), reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shut somebody out until a day, which ends their sessions, or let them in again. Moderators may do it to birders.
#[utoipa::path(
    put, path = "/api/v1/admin/users/{id}/suspension", operation_id = "suspend_user", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user")), request_body = NewSuspension,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The user may do as much as the caller, or is the caller; or the log-in is too long ago: prove again who you are (`reauthentication-required`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not a moderator, or no such user", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn suspend(
    Proven(by): Proven<Moderator>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewSuspension>,
) -> Result<Json<AccountView>, Error> {
    let user = UserId(id);
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    let action = new.action(app.clock.now())?;
    if user == by.user {
        return Err(Error::NotBelow);
    }
    let question = Suspend {
        user,
        until: new.until,
        by: by.role,
    };
    ask(&app.bus, &question).await.map_err(refused)?;
    audit::tell_of_user(&app, by.user, (action, user), reason.into_string()).await?;
    account(&app, user).await.map(Json)
}

impl NewSuspension {
    /// What the audit log calls it.
    fn action(&self, now: DateTime<Utc>) -> Result<&'static str, Problem> {
        match self.until {
            None => Ok(SUSPENSION_LIFTED),
            Some(until) if until > now && until <= now + LONGEST_SUSPENSION => Ok(USER_SUSPENDED),
            Some(_) => Err(Problem::field(
                "/until",
                "must lie ahead, by a year at most",
            )),
        }
    }
}

async fn account(app: &App, user: UserId) -> Result<AccountView, Error> {
    let found = ask(&app.bus, &ShowAccount { user }).await;
    let found = found.map_err(refused)?;
    Ok(AccountView {
        id: user.0,
        role: found.role,
        created_at: found.created_at,
        is_confirmed: found.is_confirmed,
        suspended_until: found.suspended_until,
        sessions: found.sessions,
    })
}

/// What AuthAPI's refusals are here.
pub(super) fn refused(error: AskError) -> Error {
    match error.refusal() {
        Some("unknown-user") => Error::NoSuchUser,
        Some("not-below") => Error::NotBelow,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_shut_out_for_a_year_at_most() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let action = |until: Option<TimeDelta>| {
            let new = NewSuspension {
                until: until.map(|ahead| now + ahead),
                reason: String::new(),
            };
            new.action(now).ok()
        };
        assert_eq!(action(None), Some(SUSPENSION_LIFTED));
        assert_eq!(action(Some(TimeDelta::days(7))), Some(USER_SUSPENDED));
        for bad in [TimeDelta::zero(), TimeDelta::days(-1), TimeDelta::days(366)] {
            assert_eq!(action(Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn whoever_lets_somebody_in_says_so() {
        let parse = serde_json::from_str::<NewSuspension>;
        assert!(parse(r#"{"until": null, "reason": "Asked for it."}"#).is_ok());
        assert!(parse(r#"{"reason": "Forgot the day."}"#).is_err());
    }
}
