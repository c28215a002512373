//! Who is calling: the extractor that guards routes. A token comes in the `Authorization` header, or in a browser's cookie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use chassis::Chassis;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::http::{Problem, count_account};
use chassis::rpc::ask;
use chassis::settings::AuthMode;
use chassis::telemetry::pseudonym;
use chrono::TimeDelta;
use envelope::UserId;
use uuid::Uuid;

use crate::auth::{Role, Session, VerifyToken};
use crate::cookie::{SessionCookie, require_same_origin};
use crate::token::{NoToken, bearer};

pub use crate::token::token_hash;

/// A token that ended is refused everywhere within a second; half of it is for the way.
const REMEMBER: Duration = Duration::from_millis(500);
/// How long nobody is asked again to prove who they are, once they have.
const PROVEN_FOR: TimeDelta = TimeDelta::minutes(15);
const MOST_REMEMBERED: usize = 10_000;
const LONGEST_TOKEN: usize = 512;

/// Whoever sent a good token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The session that the token belongs to.
    pub session: Uuid,
    /// What the user may do.
    pub role: Role,
    /// Whether they proved who they are just now: by a log-in, or when they were asked again.
    pub is_proven: bool,
}

impl Caller {
    /// Lets only those with a role pass; for others the address does not exist.
    pub fn require(self, role: Role) -> Result<Self, Problem> {
        if self.role >= role {
            Ok(self)
        } else {
            let user = pseudonym(self.user.0);
            tracing::info!(user, "somebody asks for what is not for their role");
            Err(Problem::not_found())
        }
    }
}

/// Judges tokens; cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bus: Bus,
    clock: Clock,
    mode: AuthMode,
    cookie: SessionCookie,
    known: Mutex<HashMap<String, (Instant, Session)>>,
}

impl Authenticator {
    /// An authenticator that asks AuthAPI.
    pub fn new(chassis: &Chassis) -> Self {
        Self(Arc::new(Inner {
            bus: chassis.bus.clone(),
            clock: chassis.clock.clone(),
            mode: chassis.settings.auth_mode,
            cookie: SessionCookie::of(&chassis.public_url),
            known: Mutex::default(),
        }))
    }

    /// The cookie that a browser keeps its token in.
    pub fn cookie(&self) -> SessionCookie {
        self.0.cookie
    }

    /// Who sent a request; nobody where it holds no token. What others than our own pages make a browser send along changes
    /// nothing.
    pub async fn caller(&self, parts: &Parts) -> Result<Option<Caller>, Problem> {
        let sent = bearer(&parts.headers)?;
        let kept = self.0.cookie.token(&parts.headers)?;
        let token = match (sent, kept) {
            (Some(sent), Some(kept)) if sent != kept => {
                return Err(two_tokens("Send the Authorization header or the cookie."));
            }
            (Some(sent), _) => sent,
            (None, Some(kept)) => {
                if !parts.method.is_safe() {
                    require_same_origin(parts)?;
                }
                kept
            }
            (None, None) => return Ok(None),
        };
        self.verify(token).await.map(Some)
    }

    /// Lets only those pass who proved just now who they are: asked before what a stolen token must not be enough for.
    pub async fn require_proof(&self, parts: &Parts) -> Result<(), Problem> {
        let caller = self.caller(parts).await?;
        let caller = caller.ok_or_else(Problem::unauthorized)?;
        if caller.is_proven {
            return Ok(());
        }
        // They may have done it after their token was remembered here.
        self.forget(caller.user);
        match self.caller(parts).await? {
            Some(caller) if caller.is_proven => Ok(()),
            _ => Err(reauthentication_required()),
        }
    }

    /// Whose token this is.
    pub async fn verify(&self, token: &str) -> Result<Caller, Problem> {
        if token.is_empty() || token.len() > LONGEST_TOKEN {
            return Err(Problem::unauthorized());
        }
        if self.0.mode == AuthMode::Trust {
            let user = Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes());
            return Ok(Caller {
                user: UserId::from(user),
                session: user,
                role: Role::Birder,
                is_proven: true,
            });
        }
        let token_hash = token_hash(token);
        let session = match self.remembered(&token_hash) {
            Some(session) => session,
            None => self.ask(token_hash).await?,
        };
        Ok(Caller {
            user: session.user,
            session: session.session,
            role: session.role,
            is_proven: self.0.clock.now() - session.proved_at < PROVEN_FOR,
        })
    }

    /// Forgets what is known of a user's tokens, e.g. because they are being erased.
    pub fn forget(&self, user: UserId) {
        self.lock().retain(|_, (_, session)| session.user != user);
    }

    async fn ask(&self, token_hash: String) -> Result<Session, Problem> {
        let question = VerifyToken {
            token_hash: token_hash.clone(),
        };
        let session = ask(&self.0.bus, &question).await.map_err(|error| {
            if error.refusal().is_some() {
                Problem::unauthorized()
            } else {
                error.into()
            }
        })?;
        let mut known = self.lock();
        if known.len() >= MOST_REMEMBERED {
            known.retain(|_, (since, _)| since.elapsed() < REMEMBER);
        }
        known.insert(token_hash, (Instant::now(), session));
        Ok(session)
    }

    fn remembered(&self, token_hash: &str) -> Option<Session> {
        let known = self.lock();
        known
            .get(token_hash)
            .filter(|(since, _)| since.elapsed() < REMEMBER)
            .map(|(_, session)| *session)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Session)>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Authenticator::from_ref(state).caller(parts).await?;
        let caller = caller.ok_or_else(Problem::unauthorized)?;
        count_account(parts, caller.user.0)?;
        Ok(caller)
    }
}

/// Somebody whom another extractor lets in, and who proved just now who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven<G>(pub G);

impl<S, G> FromRequestParts<S> for Proven<G>
where
    S: Send + Sync,
    G: FromRequestParts<S, Rejection = Problem> + Send,
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // First who they are: for some the address does not exist, however they prove it.
        let guarded = G::from_request_parts(parts, state).await?;
        Authenticator::from_ref(state).require_proof(parts).await?;
        Ok(Self(guarded))
    }
}

impl<S> OptionalFromRequestParts<S> for Caller
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    /// Nobody when no token was sent; a token that is sent must be good. A cookie is sent by itself, also when its session has
    /// ended.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        let caller = Authenticator::from_ref(state).caller(parts).await;
        let is_sent = parts.headers.contains_key(header::AUTHORIZATION);
        match caller {
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED && !is_sent => Ok(None),
            caller => caller,
        }
    }
}

fn reauthentication_required() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "reauthentication-required",
        "Prove again who you are, with POST /api/v1/auth/reauthenticate; then send this once more.",
    )
}

impl From<NoToken> for Problem {
    fn from(reason: NoToken) -> Self {
        match reason {
            NoToken::TwoHeaders => two_tokens("Send one Authorization header."),
            NoToken::TwoCookies | NoToken::Other => Problem::unauthorized(),
        }
    }
}

/// Which of two tokens is meant nobody can tell.
fn two_tokens(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}
