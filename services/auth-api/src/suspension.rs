//! What moderators and admins are told of an account, and how they shut somebody out for a time.

use chassis::database::DatabaseError;
use chassis::rpc::Refusal;
use chrono::{DateTime, Utc};
use clients::auth::{Account, Role, ShowAccount, Suspend};

use crate::App;
use crate::store::{credentials, sessions, suspensions};

/// What is known of a user, without what proves who they are.
pub(crate) async fn show_account(app: App, question: ShowAccount) -> Result<Account, Refusal> {
    let (user, now) = (question.user, app.clock.micros());
    let mut session = app.database.read().await?;
    let known = credentials::account(&mut session, user).await?;
    let known = known.ok_or_else(|| Refusal::new("unknown-user"))?;
    let suspended_until = suspensions::until(&mut session, user, now).await?;
    Ok(Account {
        role: known.role,
        created_at: time(known.created_at)?,
        is_confirmed: known.is_confirmed,
        suspended_until: suspended_until.map(time).transpose()?,
        sessions: sessions::count(&mut session, user, now).await?,
    })
}

/// Shuts a user out, or lets them in again. Their sessions end in the same transaction, and none can begin after it.
pub(crate) async fn suspend(app: App, question: Suspend) -> Result<(), Refusal> {
    let Suspend { user, until, by } = question;
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Refusal::new("unknown-user"));
    }
    let known = credentials::account(&mut work, user).await?;
    let known = known.ok_or_else(|| Refusal::new("unknown-user"))?;
    if by < Role::Admin && known.role >= by {
        return Err(Refusal::new("not-below"));
    }
    match until {
        Some(until) => {
            suspensions::set(&mut work, user, until.timestamp_micros()).await?;
            sessions::delete_all(&mut work, user).await?;
        }
        None => suspensions::lift(&mut work, user).await?,
    }
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(())
}

/// A time as it is kept.
pub(crate) fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("times of an account"))
}
