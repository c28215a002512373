//! Who sees a figure. The fewer may see it, the fewer people a cell of it may be about.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use chassis::http::Problem;
use clients::auth::Role;
use clients::{Authenticator, Caller};

/// Who sees a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Anybody.
    Public,
    /// Admins and moderators.
    Staff,
}

impl Audience {
    /// A breakdown's cell is shown only when at least so many people are in it.
    pub(crate) fn k(self) -> i64 {
        match self {
            Self::Public => 10,
            Self::Staff => 5,
        }
    }

    /// The largest audience that may see a cell of so many people.
    pub(crate) fn of_cell(people: i64) -> Option<Self> {
        let mut audiences = [Self::Public, Self::Staff].into_iter();
        audiences.find(|audience| people >= audience.k())
    }
}

/// Staff by their token; everybody else, with a token or without, is the public.
impl<S> FromRequestParts<S> for Audience
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Option::<Caller>::from_request_parts(parts, state).await?;
        let is_staff = caller.is_some_and(|caller| caller.role >= Role::Moderator);
        Ok(if is_staff { Self::Staff } else { Self::Public })
    }
}

/// One for each audience.
#[derive(Debug, Default)]
pub(crate) struct PerAudience<T> {
    public: T,
    staff: T,
}

impl<T> PerAudience<T> {
    /// The one for an audience.
    pub(crate) fn of(&self, audience: Audience) -> &T {
        match audience {
            Audience::Public => &self.public,
            Audience::Staff => &self.staff,
        }
    }
}
