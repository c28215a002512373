//! Who somebody is: made, found, read and changed, always through the vault.

use chassis::database::{DatabaseError, Session};
use chassis::rpc::ask;
use chassis::unit_of_work::Work;
use chrono::{DateTime, Utc};
use clients::user::Notifications;
use envelope::UserId;

use crate::account::{EmailAddress, Locale, Name};
use crate::error::Error;
use crate::store::identities::{self, Changed, Choices, Identity, NewIdentity};
use crate::vault::Vault;
use crate::{App, address};

/// An identity that was opened.
pub(crate) struct Person {
    /// None for callers of trust mode.
    pub email: Option<String>,
    /// One that waits to be confirmed.
    pub new_email: Option<String>,
    /// Empty for callers of trust mode who told none.
    pub name: String,
    pub locale: String,
    pub notifications: Notifications,
    pub created_at: DateTime<Utc>,
}

/// What a person wants to have changed; None stays as it is.
#[derive(Default)]
pub(crate) struct Change {
    pub name: Option<Name>,
    pub email: Option<EmailAddress>,
    pub notifications: Option<Notifications>,
    pub locale: Option<Locale>,
}

/// The user with this address; one is made when nobody has it.
pub(crate) async fn find_or_create(
    app: &App,
    email: &EmailAddress,
    name: &Name,
) -> Result<UserId, Error> {
    let hash = app.vault.email_hash(email);
    let mut work = app.database.begin().await?;
    if let Some(user) = identities::by_email(&mut work, &hash).await? {
        return Ok(user);
    }
    identities::release_address(&mut work, &hash).await?;
    let user = UserId(work.clock().random_id());
    insert(&mut work, &app.vault, user, Some(email), name).await?;
    // Another process may have been first with the same address; then its user is the answer.
    let user = identities::by_email(&mut work, &hash).await?;
    work.commit().await?;
    user.ok_or(Error::UnknownUser)
}

/// A user's identity. None for a caller of trust mode who has not told anything yet.
pub(crate) async fn find(app: &App, user: UserId) -> Result<Option<Person>, Error> {
    let mut session = app.database.read().await?;
    let Some(row) = identities::find(&mut session, user).await? else {
        return Ok(None);
    };
    let now = app.clock.micros();
    let new_email = address::waiting(&mut session, &app.vault, (user, now)).await?;
    open(&app.vault, &row, new_email).map(Some)
}

/// Refuses those who are erased.
pub(crate) async fn require_not_erased(app: &App, user: UserId) -> Result<(), Error> {
    let is_erased = app.database.begin().await?.is_erased(user.0).await?;
    if is_erased {
        Err(Error::Erased)
    } else {
        Ok(())
    }
}

/// Changes what a person told about themselves.
pub(crate) async fn change(app: &App, user: UserId, change: Change) -> Result<Person, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    let row = find_or_insert(&mut work, &app.vault, user).await?;
    let own = app.vault.own_key(user, &row.key_sealed)?;
    let old_name = own.open_name(&row.name_sealed)?;
    let is_rectified = change
        .name
        .as_ref()
        .is_some_and(|name| name.as_str() != old_name);
    if is_rectified {
        // What was wrong must not stay anywhere, not even sealed.
        work.erases();
    }
    let mails = match &change.email {
        Some(email) => address::request(&mut work, &app.vault, &row, email).await?,
        None => Vec::new(),
    };
    let name_sealed = match &change.name {
        Some(name) => own.seal_name(name),
        None => row.name_sealed,
    };
    let changed = Changed {
        name_sealed: &name_sealed,
        notifications: change
            .notifications
            .map_or_else(|| notifications(&row.notifications), Ok)?,
        locale: &change.locale.map_or_else(|| locale(&row.locale), Ok)?,
    };
    identities::update(&mut work, user, &changed).await?;
    work.commit().await?;
    for mail in mails {
        ask(&app.bus, &mail).await?;
    }
    if is_rectified {
        // Mails that were caught greet them by the old name.
        app.mails.erase(user.0).await.map_err(Error::Mails)?;
    }
    find(app, user).await?.ok_or(Error::UnknownUser)
}

/// Sets how often a user wants mail.
pub(crate) async fn set_notifications(
    app: &App,
    user: UserId,
    notifications: Notifications,
) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    // The row goes in the transaction that fences a person, so none is an erased person's.
    if !identities::set_notifications(&mut work, user, notifications).await? {
        return Err(Error::UnknownUser);
    }
    work.commit().await?;
    Ok(())
}

/// How often a user wants mail; as by default when they have told nothing yet.
pub(crate) async fn notifications_of(
    session: &mut Session,
    user: UserId,
) -> Result<Notifications, Error> {
    let row = identities::find(session, user).await?;
    let stored = row.map(|row| notifications(&row.notifications)).transpose();
    Ok(stored?.unwrap_or_default())
}

/// Sets how often a user wants mail, also of one who has told nothing yet.
pub(crate) async fn choose_notifications(
    work: &mut Work,
    vault: &Vault,
    user: UserId,
    notifications: Notifications,
) -> Result<(), Error> {
    find_or_insert(work, vault, user).await?;
    identities::set_notifications(work, user, notifications).await?;
    Ok(())
}

/// Callers of trust mode never registered; they get a row without an address when they need one.
async fn find_or_insert(work: &mut Work, vault: &Vault, user: UserId) -> Result<Identity, Error> {
    if let Some(row) = identities::find(work, user).await? {
        return Ok(row);
    }
    insert(work, vault, user, None, &Name::none()).await?;
    let row = identities::find(work, user).await?;
    row.ok_or(Error::UnknownUser)
}

async fn insert(
    work: &mut Work,
    vault: &Vault,
    user: UserId,
    email: Option<&EmailAddress>,
    name: &Name,
) -> Result<(), DatabaseError> {
    let new = NewIdentity {
        account: work.clock().random_id(),
        user,
        email_hash: email.map(|email| vault.email_hash(email)),
        sealed: vault.seal(user, email, name),
        created_at: work.clock().micros(),
    };
    identities::insert(work, &new, &Choices::default()).await
}

fn open(vault: &Vault, row: &Identity, new_email: Option<String>) -> Result<Person, Error> {
    let own = vault.own_key(UserId(row.user_id), &row.key_sealed)?;
    let email = row.email_sealed.as_deref();
    Ok(Person {
        email: email.map(|sealed| own.open_email(sealed)).transpose()?,
        new_email,
        name: own.open_name(&row.name_sealed)?,
        locale: row.locale.clone(),
        notifications: notifications(&row.notifications)?,
        created_at: DateTime::from_timestamp_micros(row.created_at)
            .ok_or(DatabaseError::Damaged("identity.created_at"))?,
    })
}

fn notifications(stored: &str) -> Result<Notifications, DatabaseError> {
    stored
        .parse()
        .map_err(|_| DatabaseError::Damaged("identity.notifications"))
}

fn locale(stored: &str) -> Result<Locale, DatabaseError> {
    stored
        .parse()
        .map_err(|_| DatabaseError::Damaged("identity.locale"))
}
