//! Imports: somebody comes from another instance with the export that they were given there. The command line reads the
//! archive and asks each service to take its part; here the import begins and ends, and here events and identity
//! come back.
//!
//! While a row says that an import is open, everything may be asked again. After its end the person is here, and
//! the same archive is refused like any other of theirs.

use chassis::bus::streams::retirement::is_retired;
use chassis::rpc::Refusal;
use chassis::unit_of_work::Work;
use clients::import::{BeginImport, BegunImport, EndImport, ReturnEvents, ReturnIdentity};
use envelope::catalogue::{DEPRECATED, RETURNED};
use envelope::{UserId, returned};
use serde_json::Value;

use crate::App;
use crate::account::{EmailAddress, Locale, Name};
use crate::error::Error;
use crate::limits::tell;
use crate::store::identities::{self, Choices, NewIdentity};
use crate::store::imports::{self, Import};
use crate::store::limits::{self, Standing};

/// Begins an import, or goes on with one.
pub(crate) async fn begin(app: App, question: BeginImport) -> Result<BegunImport, Refusal> {
    let email: EmailAddress = question.email.parse().map_err(|_| Error::InvalidEmail)?;
    question
        .name
        .parse::<Name>()
        .map_err(|_| Error::InvalidName)?;
    refuse_retired(&app, &question.old_majors).await?;
    let user = question.user;
    let mut work = begin_for(&app, user).await?;
    free_address(&app, &mut work, user, &email).await?;
    if let Some(open) = imports::find(&mut work, user).await? {
        return same_archive(&open, &question);
    }
    if identities::find(&mut work, user).await?.is_some() {
        return Err(Refusal::new("exists"));
    }
    let new = Import {
        archive: question.archive,
        secret: work.clock().random_id(),
    };
    let now = work.clock().micros();
    imports::insert(&mut work, user, &new, now).await?;
    // Another process may have been first.
    let open = imports::find(&mut work, user).await?;
    work.commit().await?;
    let secret = open.ok_or(Error::UnknownUser)?.secret;
    Ok(BegunImport { secret })
}

/// What the broker refuses would wait in the outbox for ever.
async fn refuse_retired(app: &App, old_majors: &[String]) -> Result<(), Refusal> {
    for old in DEPRECATED
        .iter()
        .filter(|old| old_majors.contains(&old.name()))
    {
        let Some(declared) = old.stream() else {
            continue;
        };
        let stream = app.bus.jetstream().get_stream(declared.name).await;
        let stream = stream.map_err(|error| Refusal::internal(&error))?;
        if is_retired(&stream.cached_info().config, old) {
            return Err(Refusal::new("retired"));
        }
    }
    Ok(())
}

fn same_archive(open: &Import, question: &BeginImport) -> Result<BegunImport, Refusal> {
    if open.archive != question.archive {
        return Err(Refusal::new("another-archive"));
    }
    let secret = open.secret;
    Ok(BegunImport { secret })
}

/// Publishes events as they were. Their effects happened on the other instance: services that keep what no event
/// tells were given their rows, and asked to pass these over.
pub(crate) async fn return_events(app: App, question: ReturnEvents) -> Result<(), Refusal> {
    let mut work = open_for(&app, question.user).await?;
    if !work.is_new_page(question.page).await? {
        return Ok(());
    }
    for (entity, event) in &question.events {
        publish(&mut work, entity, event).await?;
    }
    Ok(work.commit().await?)
}

async fn publish(work: &mut Work, entity: &str, event: &Value) -> Result<(), Refusal> {
    let bad = || Refusal::new("bad-event");
    let (decoded, outgoing) = returned(entity, event).map_err(|_| bad())?;
    let stream = decoded.contract.stream.name;
    if !RETURNED.iter().any(|one| one.name == stream) {
        return Err(bad());
    }
    if !work.erased_among(&outgoing.people).await?.is_empty() {
        return Err(Error::Erased.into());
    }
    work.publish_returned(outgoing);
    Ok(())
}

/// Makes the identity, with a key of its own.
pub(crate) async fn return_identity(app: App, question: ReturnIdentity) -> Result<(), Refusal> {
    let email: EmailAddress = question.email.parse().map_err(|_| Error::InvalidEmail)?;
    let name: Name = question.name.parse().map_err(|_| Error::InvalidName)?;
    let locale: Locale = question
        .locale
        .parse()
        .map_err(|_| Refusal::new("invalid-locale"))?;
    let user = question.user;
    let mut work = open_for(&app, user).await?;
    free_address(&app, &mut work, user, &email).await?;
    let new = NewIdentity {
        account: question.account,
        user,
        email_hash: Some(app.vault.email_hash(&email)),
        sealed: app.vault.seal(user, Some(&email), &name),
        created_at: question.created_at.timestamp_micros(),
    };
    let choices = Choices {
        notifications: question.notifications,
        locale,
    };
    identities::insert(&mut work, &new, &choices).await?;
    if identities::find(&mut work, user).await?.is_none() {
        // The account's id is somebody's.
        return Err(Refusal::new("taken"));
    }
    Ok(work.commit().await?)
}

/// Ends an import; one that has ended may be ended again.
pub(crate) async fn end(app: App, question: EndImport) -> Result<(), Refusal> {
    let mut work = app.database.begin().await?;
    let user = question.user;
    let is_open = imports::find(&mut work, user).await?.is_some();
    if is_open && limits::find(&mut work, user).await? != Standing::default() {
        // The event that told of it may have ended by its age.
        tell(&mut work, user).await?;
    }
    imports::delete(&mut work, user.0).await?;
    work.deletes_for_good();
    Ok(work.commit().await?)
}

async fn begin_for(app: &App, user: UserId) -> Result<Work, Refusal> {
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased.into());
    }
    Ok(work)
}

/// Only while an import is open.
async fn open_for(app: &App, user: UserId) -> Result<Work, Refusal> {
    let mut work = begin_for(app, user).await?;
    let open = imports::find(&mut work, user).await?;
    open.map(|_| work).ok_or_else(|| Refusal::new("not-begun"))
}

async fn free_address(
    app: &App,
    work: &mut Work,
    user: UserId,
    email: &EmailAddress,
) -> Result<(), Refusal> {
    let hash = app.vault.email_hash(email);
    let other = identities::by_email(work, &hash).await?;
    match other {
        Some(other) if other != user => Err(Refusal::new("address-taken")),
        _ => Ok(()),
    }
}
