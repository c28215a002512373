//! What people may do.

use axum::extract::State;
use chassis::http::{Json, Path, Problem};
use chassis::rpc::ask;
use clients::Proven;
use clients::auth::{Role, SetRole};
use envelope::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::users::refused;
use crate::App;
use crate::audit::{self, ROLE_CHANGED, Reason};
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
#[schema(as = UserRoleView)]
pub(crate) struct UserView {
    /// The user's id.
    id: Uuid,
}

impl UserView {
    pub(super) fn new(user: UserId) -> Self {
        Self { id: user.0 }
    }
}

/// Give somebody another role; their sessions have it at once.
#[utoipa::path(
    put, path = "/api/v1/admin/users/{id}/role", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user")), request_body = NewRole,
    responses(
        (status = 200, description = "The role is changed", body = RoleView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such user, or not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The user was erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again soon", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    Proven(Admin(by)): Proven<Admin>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewRole>,
) -> Result<Json<RoleView>, Error> {
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    let (user, role) = (UserId(id), new.role);
    let question = SetRole { user, role };
    ask(&app.bus, &question).await.map_err(refused)?;
    audit::tell_of_user(&app, by, (ROLE_CHANGED, user), reason.into_string()).await?;
    Ok(Json(RoleView {
        user: UserView::new(user),
        role,
    }))
}
