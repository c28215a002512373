//! What somebody consents to (Art. 7 GDPR): an entry in the ledger for each decision, and what follows from it.

use envelope::UserId;

use crate::error::Error;
use crate::limits::tell;
use crate::store::consents::{self, Entry};
use crate::store::limits;
use crate::texts::{self, PLACES, Text};
use crate::{App, identity};

/// A decision about a text that was shown.
pub(crate) struct Decision {
    /// The text.
    pub text: &'static Text,
    /// Whether they agree, or take it back.
    pub given: bool,
}

impl Decision {
    /// Nobody consents to what they were not shown: the hash says which text it was.
    pub(crate) fn about(name: &str, sha256: &str, given: bool) -> Result<Self, Error> {
        let text = texts::find(name).ok_or(Error::UnknownText)?;
        if text.sha256 == sha256 {
            Ok(Self { text, given })
        } else {
            Err(Error::OtherText)
        }
    }
}

/// Notes a decision, and tells the other services if they have to know. The same again is one entry.
pub(crate) async fn decide(app: &App, user: UserId, decision: &Decision) -> Result<Entry, Error> {
    let Decision { text, given } = *decision;
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    let at = work.clock().micros();
    // First of all: it keeps decisions at the same time apart. What stands already changes nothing here.
    if text.purpose == PLACES && limits::set_places(&mut work, user, !given, at).await? {
        tell(&mut work, user).await?;
    }
    let all = consents::of_user(&mut work, user).await?;
    let last = all.into_iter().rfind(|entry| entry.purpose == text.purpose);
    let same = last.filter(|last| last.sha256 == text.sha256 && last.given == given);
    if let Some(entry) = same {
        return Ok(entry);
    }
    let entry = Entry {
        id: work.clock().id(),
        purpose: text.purpose.to_owned(),
        language: text.language.to_owned(),
        version: text.version,
        sha256: text.sha256.clone(),
        given,
        at,
    };
    consents::insert(&mut work, user, &entry).await?;
    work.commit().await?;
    Ok(entry)
}

/// All decisions of somebody, the oldest first.
pub(crate) async fn of(app: &App, user: UserId) -> Result<Vec<Entry>, Error> {
    identity::require_not_erased(app, user).await?;
    let mut session = app.database.read().await?;
    Ok(consents::of_user(&mut session, user).await?)
}
