//! What people may do.

use axum::extract::State;
use chassis::http::{Json, Path, Problem};
use chassis::rpc::{AskError, ask};
use clients::auth::{Role, SetRole};
use envelope::{UserId, admin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::audit::{self, ROLE_CHANGED, Reason, user_target};
use crate::error::Error;
use crate::guard::Admin;

/// Another role for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// The role.
    role: Role,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Somebody's role.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleView {
    /// Whose.
    user: UserView,
    /// The role.
    role: Role,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// The user's id.
    id: Uuid,
}

/// Give somebody another role; their sessions have it at once.
#[utoipa::path(
    put, path = "/api/v1/admin/users/{id}/role", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user")), request_body = NewRole,
    responses(
        (status = 200, description = "The role is changed", body = RoleView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such user, or not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    Admin(by): Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewRole>,
) -> Result<Json<RoleView>, Error> {
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    let (user, role) = (UserId(id), new.role);
    let question = SetRole { user, role };
    ask(&app.bus, &question).await.map_err(unknown_user)?;
    record(&app, by, user, reason).await?;
    Ok(Json(RoleView {
        user: UserView { id },
        role,
    }))
}

async fn record(app: &App, by: UserId, user: UserId, reason: Reason) -> Result<(), Error> {
    let audit = admin::Audit {
        admin: by.into(),
        action: ROLE_CHANGED.to_owned(),
        target: user_target(user),
        reason: reason.into_string(),
    };
    let mut work = app.database.begin().await?;
    if !work.erased_among(&[by.0, user.0]).await?.is_empty() {
        return Err(Error::Erased);
    }
    audit::record(&mut work, audit).await?;
    work.commit().await?;
    Ok(())
}

fn unknown_user(error: AskError) -> Error {
    match error.refusal() {
        Some("unknown-user") => Error::NoSuchUser,
        _ => error.into(),
    }
}
