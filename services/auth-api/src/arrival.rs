//! Who somebody who came back from the provider is here, and what lets them in.

use chassis::http::Problem;
use chassis::rpc::ask;
use chassis::unit_of_work::Work;
use clients::auth::Role;
use clients::user::{FindByEmail, FindOrCreate};
use envelope::UserId;

use crate::account::{Email, Name, may_be_a_password};
use crate::error::Error;
use crate::handlers::registrations::{create_confirmed, refused_field};
use crate::oidc::kept::Arrived;
use crate::secrets;
use crate::store::credentials::{self, Standing};
use crate::store::oidc;
use crate::{App, proof};

/// Who somebody who came back is here.
pub(crate) enum Known {
    /// They were here before with the provider.
    Linked(UserId),
    /// Their address has an account.
    SameAddress(UserId),
    /// They are new, with this address.
    Nobody(Email),
    /// They are new, and the provider vouches for no address.
    NoAddress,
}

/// What somebody who came back says to be let in.
pub(crate) struct Said {
    /// How they are called.
    pub(crate) name: Option<String>,
    /// When they were born.
    pub(crate) born_on: Option<String>,
    /// The password of the account that has their address.
    pub(crate) password: Option<String>,
    /// A code of their second factor.
    pub(crate) code: Option<String>,
}

/// Looks for them by what the provider calls them, then by their address.
pub(crate) async fn known(app: &App, arrived: &Arrived) -> Result<Known, Error> {
    let mut session = app.database.read().await?;
    if let Some(user) = oidc::find(&mut session, &arrived.subject_hash).await? {
        return Ok(Known::Linked(user));
    }
    drop(session);
    let email = arrived.email.as_deref();
    let Some(email) = email.and_then(|email| Email::parse(email).ok()) else {
        return Ok(Known::NoAddress);
    };
    let question = FindByEmail {
        email: email.clone().into_string(),
    };
    let Some(user) = ask(&app.bus, &question).await? else {
        return Ok(Known::Nobody(email));
    };
    let mut session = app.database.read().await?;
    let credential = credentials::find(&mut session, user).await?;
    // A registration that nobody confirmed may be anybody's.
    Ok(match credential.map(|found| found.standing) {
        Some(Standing::Confirmed) => Known::SameAddress(user),
        Some(Standing::Pending) | None => Known::Nobody(email),
    })
}

/// Lets them in, if what they say is enough. Their step is taken then.
pub(crate) async fn let_in(app: &App, arrived: &Arrived, said: Said) -> Result<UserId, Error> {
    match known(app, arrived).await? {
        Known::Linked(user) => return_as(app, arrived, user, said).await,
        Known::SameAddress(user) => link(app, arrived, user, said).await,
        Known::Nobody(email) => register(app, arrived, email, said).await,
        Known::NoAddress => Err(Error::NoAddress),
    }
}

/// Somebody who was here before with the provider.
async fn return_as(
    app: &App,
    arrived: &Arrived,
    user: UserId,
    said: Said,
) -> Result<UserId, Error> {
    proof::require_code(app, user, said.code.as_deref()).await?;
    let mut work = app.database.begin().await?;
    take(app, &mut work, arrived).await?;
    work.commit().await?;
    Ok(user)
}

/// Somebody whose address has an account: it is theirs if they have its password, too.
async fn link(app: &App, arrived: &Arrived, user: UserId, said: Said) -> Result<UserId, Error> {
    let password = said.password.unwrap_or_default();
    may_be_a_password(&password).map_err(|detail| Problem::field("/password", detail))?;
    if !proof::holds_with_code(app, user, password, said.code.as_deref()).await? {
        return Err(Error::NotReauthenticated);
    }
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    take(app, &mut work, arrived).await?;
    note(app, &mut work, arrived, user).await?;
    work.commit().await?;
    Ok(user)
}

/// Somebody new. Their password is one that nobody knows; a forgotten one is replaced by a mailed link.
async fn register(app: &App, arrived: &Arrived, email: Email, said: Said) -> Result<UserId, Error> {
    let name = Name::parse(&said.name.unwrap_or_default());
    let name = name.map_err(|detail| Problem::field("/name", detail))?;
    let today = app.clock.now().date_naive();
    let age = app.age_gate.check(said.born_on.as_deref(), today);
    age.map_err(|refused| Problem::field("/born_on", refused.to_string()))?;
    let question = FindOrCreate {
        email: email.into_string(),
        name: name.into_string(),
    };
    let user = ask(&app.bus, &question).await.map_err(refused_field)?;
    let password = app.passwords.hash(secrets::password(&app.clock)).await?;
    let mut work = app.database.begin().await?;
    take(app, &mut work, arrived).await?;
    if !create_confirmed(app, &mut work, (user, &password), Role::default()).await? {
        // They confirmed another way in the meantime: as somebody with an account they go on.
        return Err(Problem::unavailable().into());
    }
    note(app, &mut work, arrived, user).await?;
    work.commit().await?;
    Ok(user)
}

/// Takes their step: who has it in two windows comes in by one.
async fn take(app: &App, work: &mut Work, arrived: &Arrived) -> Result<(), Error> {
    let is_taken = oidc::take_step(work, arrived.step, app.clock.micros()).await?;
    is_taken.then_some(()).ok_or(Error::NoArrival)
}

/// Notes that this is what the provider calls them.
async fn note(app: &App, work: &mut Work, arrived: &Arrived, user: UserId) -> Result<(), Error> {
    let now = app.clock.micros();
    let is_new = oidc::link(work, &arrived.subject_hash, user, now).await?;
    is_new.then_some(()).ok_or(Error::NoArrival)
}
