//! A change of address: asked for by its owner, made when the link is opened that is mailed to the new one. Until
//! then the old one is theirs. Whether the new one is somebody's shows in its mailbox only.

use chassis::database::{DatabaseError, Session};
use chassis::unit_of_work::Work;
use chrono::TimeDelta;
use clients::caller::token_hash;
use clients::notifier::{AccountMail, QueueAccountMail};
use clients::user::AddressLink;
use envelope::UserId;

use crate::App;
use crate::account::EmailAddress;
use crate::error::Error;
use crate::store::address_changes::{self, AddressChange};
use crate::store::identities::{self, Identity};
use crate::vault::{OwnKey, Vault};

/// How long the link is good.
const LASTS: TimeDelta = TimeDelta::hours(24);

/// Notes the address that a person wants. The mails that are to be sent when that is committed.
pub(crate) async fn request(
    work: &mut Work,
    vault: &Vault,
    row: &Identity,
    email: &EmailAddress,
) -> Result<Vec<QueueAccountMail>, Error> {
    let user = UserId(row.user_id);
    let own = vault.own_key(user, &row.key_sealed)?;
    // Another one that waited must not stay anywhere.
    work.erases();
    if is_theirs(&own, row, email)? {
        address_changes::delete(work, user.0).await?;
        return Ok(Vec::new());
    }
    let email_hash = vault.email_hash(email);
    let owner = identities::by_email(work, &email_hash).await?;
    let change = AddressChange {
        user_id: user.0,
        key_sealed: row.key_sealed.clone(),
        email_sealed: own.seal_email(email),
        email_hash,
        expires_at: (work.clock().now() + LASTS).timestamp_micros(),
    };
    address_changes::put(work, &change).await?;
    let (user_of_new, kind) = match owner {
        Some(owner) => (owner, AccountMail::AlreadyRegistered),
        None => (user, AccountMail::ConfirmAddress),
    };
    // First the one to the old address, as long as that is theirs.
    let mails = [(user, AccountMail::AddressChanging), (user_of_new, kind)];
    Ok(mails
        .map(|(user, kind)| QueueAccountMail { user, kind })
        .into())
}

fn is_theirs(own: &OwnKey, row: &Identity, email: &EmailAddress) -> Result<bool, Error> {
    let Some(sealed) = &row.email_sealed else {
        return Ok(false);
    };
    Ok(own.open_email(sealed)? == email.as_str())
}

/// The address that waits for its owner to confirm it.
pub(crate) async fn waiting(
    session: &mut Session,
    vault: &Vault,
    (user, now): (UserId, i64),
) -> Result<Option<String>, DatabaseError> {
    let Some(change) = address_changes::find(session, user, now).await? else {
        return Ok(None);
    };
    let own = vault.own_key(user, &change.key_sealed);
    let email = own.and_then(|own| own.open_email(&change.email_sealed));
    email
        .map(Some)
        .map_err(|_| DatabaseError::Damaged("an address that waits"))
}

/// Makes the link for a mail to a new address, unless that is somebody's by now.
pub(crate) async fn link(app: &App, user: UserId) -> Result<AddressLink, Error> {
    let mut work = app.database.begin().await?;
    let now = work.clock().micros();
    let change = address_changes::find(&mut work, user, now).await?;
    let change = change.ok_or(Error::NotNeeded)?;
    let owner = identities::by_email(&mut work, &change.email_hash).await?;
    if work.is_erased(user.0).await? || owner.is_some_and(|owner| owner != user) {
        return Err(Error::NotNeeded);
    }
    let own = app.vault.own_key(user, &change.key_sealed)?;
    let email = own.open_email(&change.email_sealed)?;
    let token = work.clock().secret();
    address_changes::set_token(&mut work, user, &token_hash(&token)).await?;
    work.commit().await?;
    Ok(AddressLink { email, token })
}

/// The link was opened: the address is theirs, and of the old one nothing stays.
pub(crate) async fn confirm(app: &App, token: &str) -> Result<(), Error> {
    let mut work = app.database.begin().await?;
    let now = work.clock().micros();
    let change = address_changes::take(&mut work, &token_hash(token), now).await?;
    let change = change.ok_or(Error::UnknownToken)?;
    let user = UserId(change.user_id);
    if work.is_erased(user.0).await? {
        return Err(Error::UnknownToken);
    }
    identities::release_address(&mut work, &change.email_hash).await?;
    let owner = identities::by_email(&mut work, &change.email_hash).await?;
    if owner.is_some_and(|owner| owner != user) {
        return Err(Error::UnknownToken);
    }
    identities::set_address(&mut work, &change).await?;
    work.erases();
    work.commit().await?;
    // Mails that were caught went to the old one.
    app.mails.erase(user.0).await.map_err(Error::Mails)?;
    Ok(())
}
