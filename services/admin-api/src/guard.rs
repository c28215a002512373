//! Who may come in: the extractors, one of which guards every route of the API here.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chassis::http::Problem;
use clients::Caller;
use clients::auth::Role;
use envelope::UserId;

use crate::App;

/// A caller who is an admin. For all others the address does not exist; without a token: 401.
/// As the first argument of a handler it is asked before anything else of the request is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin(pub(crate) UserId);

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        Ok(Self(caller.require(Role::Admin)?.user))
    }
}

/// A caller who is a moderator or an admin, in the same way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moderator {
    /// Who.
    pub(crate) user: UserId,
    /// Which of them.
    pub(crate) role: Role,
}

impl FromRequestParts<App> for Moderator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let Caller { user, role, .. } = caller.require(Role::Moderator)?;
        Ok(Self { user, role })
    }
}
