//! A mail about an account.

use chassis::database::DatabaseError;
use chassis::rpc::{AskError, ask};
use clients::auth::MailSecret;
use clients::notifier::{AccountMail, recipient_mark};
use clients::user::{Address, NewAddress, Purpose};
use envelope::UserId;

use super::{MOST_ATTEMPTS, Setback, after, count, outage, until_erased};
use crate::letter::{self, Language, Letter};
use crate::post::{NotSent, To};
use crate::store::accounts::Turn;
use crate::{App, store};

const KIND: &str = "account";

/// Sends it, or drops it when it is not wanted any more.
pub(super) async fn send(app: App, turn: Turn) -> Result<(), Setback> {
    let written = write(&app, turn).await;
    let (email, letter) = match written {
        Ok(Some(written)) => written,
        Ok(None) => return drop_it(&app, turn, "not-wanted").await,
        Err(setback) => return put_back(&app, turn, setback).await,
    };
    // Anybody can register anybody's address: what they call themselves does not go there.
    let to = To {
        email: &email,
        name: "",
        mark: &recipient_mark(&app.keys, turn.user),
    };
    match app
        .post
        .send(turn.mail_id(), to, letter, until_erased(&app, turn.user))
        .await
    {
        Ok(()) => drop_it(&app, turn, "sent").await,
        Err(NotSent::Later) if turn.attempts < MOST_ATTEMPTS => {
            count(KIND, "later");
            let due = after(app.clock.micros(), outage::delay_of(turn.attempts));
            Ok(postpone(&app, turn, due, 1).await?)
        }
        Err(NotSent::Later | NotSent::Refused) => drop_it(&app, turn, "refused").await,
        Err(NotSent::BrokenOff) => drop_it(&app, turn, "broken-off").await,
        Err(away @ NotSent::Away(_)) => put_back(&app, turn, Setback::Away(away.to_string())).await,
    }
}

/// The mail and where it goes; nothing when it should not be sent any more.
async fn write(app: &App, turn: Turn) -> Result<Option<(String, Letter)>, Setback> {
    let Turn { user, kind, .. } = turn;
    let mut work = app.database.begin().await?;
    let erased = work.is_erased(user.0).await?;
    work.commit().await?;
    if erased {
        return Ok(None);
    }
    let addressed = match kind {
        AccountMail::ConfirmAddress => new_address(app, user).await?,
        _ => known_address(app, (user, kind)).await?,
    };
    let Some(addressed) = addressed else {
        return Ok(None);
    };
    let reader = (addressed.language, addressed.name.as_str());
    let letter = letter::account(&app.public_url, reader, kind, &addressed.secret)?;
    Ok(Some((addressed.email, letter)))
}

/// Where a mail goes, in which language, whom it greets, and the secret in it.
struct Addressed {
    email: String,
    language: Language,
    name: String,
    secret: String,
}

async fn known_address(
    app: &App,
    (user, kind): (UserId, AccountMail),
) -> Result<Option<Addressed>, AskError> {
    let purpose = Purpose::Account;
    let Some(recipient) = unless_refused(ask(&app.bus, &Address { user, purpose }).await)? else {
        return Ok(None);
    };
    let secret = unless_refused(ask(&app.bus, &MailSecret { user, kind }).await)?;
    Ok(secret.map(|secret| Addressed {
        email: recipient.email,
        language: Language::of(&recipient.locale),
        name: match kind {
            AccountMail::Confirm => String::new(),
            _ => recipient.name,
        },
        secret,
    }))
}

/// An address that is not confirmed yet: whose it is nobody knows, so it is only written in the user's language.
async fn new_address(app: &App, user: UserId) -> Result<Option<Addressed>, AskError> {
    let Some(link) = unless_refused(ask(&app.bus, &NewAddress { user }).await)? else {
        return Ok(None);
    };
    let purpose = Purpose::Account;
    let recipient = unless_refused(ask(&app.bus, &Address { user, purpose }).await)?;
    Ok(recipient.map(|recipient| Addressed {
        email: link.email,
        language: Language::of(&recipient.locale),
        name: String::new(),
        secret: link.token,
    }))
}

fn unless_refused<A>(answer: Result<A, AskError>) -> Result<Option<A>, AskError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.refusal().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn drop_it(app: &App, turn: Turn, outcome: &'static str) -> Result<(), Setback> {
    let mut work = app.database.begin().await?;
    store::accounts::delete(&mut work, turn.id).await?;
    work.commit().await?;
    count(KIND, outcome);
    Ok(())
}

async fn put_back(app: &App, turn: Turn, setback: Setback) -> Result<(), Setback> {
    postpone(app, turn, app.clock.micros(), 0).await?;
    Err(setback)
}

async fn postpone(app: &App, turn: Turn, due: i64, attempts: i64) -> Result<(), DatabaseError> {
    let mut work = app.database.begin().await?;
    store::accounts::postpone(&mut work, turn.id, due, attempts).await?;
    work.commit().await
}
