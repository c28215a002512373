//! A mail about ratings.

use chassis::database::DatabaseError;
use chassis::fault;
use chassis::rpc::ask;
use chassis::unit_of_work::{Cause, Draft, Work, WorkError};
use clients::caller::token_hash;
use clients::notifier::recipient_mark;
use clients::user::{Address, Notifications, Purpose, Recipient};
use envelope::{EventId, UserId, derived_id, notification};
use uuid::Uuid;

use super::{MOST_ATTEMPTS, Setback, after, count, outage};
use crate::digest::{Decision, decide};
use crate::letter::{self, Told};
use crate::post::{NotSent, To};
use crate::store::ratings::{self, Turn};
use crate::{App, NAME, store};

const KIND: &str = "rating";

/// A mail that was decided on.
#[derive(Debug)]
struct Mail {
    id: Uuid,
    told: Vec<Told>,
    unsubscribe_token: String,
}

/// Tells an owner what is due, as they wish it now.
pub(super) async fn send(app: App, turn: Turn) -> Result<(), Setback> {
    let owner = turn.owner;
    let recipient = match recipient(&app, owner).await {
        Ok(Some(recipient)) => recipient,
        Ok(None) => return forget(&app, owner).await,
        Err(setback) => return put_back(&app, turn, setback).await,
    };
    let Some(mail) = prepare(&app, turn, recipient.notifications).await? else {
        return Ok(());
    };
    let (name, token) = (&recipient.name, &mail.unsubscribe_token);
    let letter = letter::ratings(&app.public_url, name, &mail.told, token)?;
    let to = To {
        email: &recipient.email,
        name,
        mark: &recipient_mark(&app.keys, owner),
    };
    match app.post.send(mail.id, to, letter).await {
        Ok(()) => Ok(sent(&app, owner, &mail).await?),
        Err(NotSent::Later) if turn.attempts < MOST_ATTEMPTS => {
            count(KIND, "later");
            let due = after(app.clock.micros(), outage::delay_of(turn.attempts));
            Ok(postpone(&app, owner, due, 1).await?)
        }
        Err(NotSent::Later | NotSent::Refused) => refused(&app, owner, mail.id).await,
        Err(away @ NotSent::Away(_)) => put_back(&app, turn, Setback::Away(away.to_string())).await,
    }
}

/// Where and how the owner wants mail; nothing when UserAPI does not know them (any more).
async fn recipient(app: &App, owner: UserId) -> Result<Option<Recipient>, Setback> {
    let question = Address {
        user: owner,
        purpose: Purpose::Notification,
    };
    match ask(&app.bus, &question).await {
        Ok(recipient) => Ok(Some(recipient)),
        Err(error) if error.refusal().is_some() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Decides on a mail and makes that durable before anything is sent: after a crash the same mail
/// goes out, not another that tells of the same.
async fn prepare(
    app: &App,
    turn: Turn,
    wish: Notifications,
) -> Result<Option<Mail>, DatabaseError> {
    let (owner, now) = (turn.owner, app.clock.micros());
    let mut work = app.database.begin().await?;
    if wish == Notifications::Off || work.is_erased(owner.0).await? {
        ratings::forget(&mut work, owner, now).await?;
        work.commit().await?;
        return Ok(None);
    }
    let chosen = match begun(&mut work, turn).await? {
        Some(mail) => Some(mail),
        None => choose(app, &mut work, turn, wish).await?,
    };
    let mail = match chosen {
        Some((id, told)) => {
            let unsubscribe_token = app.clock.secret();
            let hash = token_hash(&unsubscribe_token);
            store::unsubscribes::insert(&mut work, &hash, owner, now).await?;
            Some(Mail {
                id,
                told,
                unsubscribe_token,
            })
        }
        None => None,
    };
    work.commit().await?;
    Ok(mail)
}

/// The mail that was on its way when somebody stopped, unless all that it told of is gone.
async fn begun(work: &mut Work, turn: Turn) -> Result<Option<(Uuid, Vec<Told>)>, DatabaseError> {
    let Some(id) = turn.mail else {
        return Ok(None);
    };
    let told = ratings::of_mail(work, turn.owner, id).await?;
    Ok((!told.is_empty()).then_some((id, told)))
}

/// A new mail, if one is due; otherwise the owner is looked at when one is.
async fn choose(
    app: &App,
    work: &mut Work,
    turn: Turn,
    wish: Notifications,
) -> Result<Option<(Uuid, Vec<Told>)>, DatabaseError> {
    let (owner, now) = (turn.owner, app.clock.micros());
    let mut told = ratings::waiting(work, owner).await?;
    let decision = decide(wish, turn.last_sent_at, now, app.digest_interval);
    match decision {
        Decision::SendOldest => told.truncate(1),
        Decision::SendAll => {}
        Decision::Wait(due) if !told.is_empty() => {
            ratings::postpone(work, owner, due, 0).await?;
            return Ok(None);
        }
        Decision::Wait(_) | Decision::Drop => told.clear(),
    }
    let events: Vec<EventId> = told.iter().map(|told| told.event).collect();
    let id = letter::mail_id(&events);
    if told.is_empty() {
        ratings::rest(work, owner, None, now).await?;
        return Ok(None);
    }
    if fault::is("mail-before-commit") {
        return Ok(Some((app.clock.random_id(), told)));
    }
    ratings::assign(work, owner, id, &events).await?;
    Ok(Some((id, told)))
}

/// The server has taken the mail over: what it told of goes, and the event says so.
async fn sent(app: &App, owner: UserId, mail: &Mail) -> Result<(), WorkError> {
    let now = app.clock.micros();
    let mut work = app.database.begin().await?;
    // Somebody who was erased while their mail was on its way leaves nothing here.
    if !work.is_erased(owner.0).await?
        && let Some(first) = mail.told.first()
    {
        ratings::settle(&mut work, owner, mail.id, (Some(now), now)).await?;
        work.publish(notification(owner, mail.id, first))?;
    }
    work.commit().await?;
    count(KIND, "sent");
    Ok(())
}

fn notification(owner: UserId, mail: Uuid, first: &Told) -> Draft<notification::Email> {
    let email = notification::Email {
        user: owner.into(),
        message_type: "rate.update".to_owned(),
        source_event: notification::SourceEvent {
            name: "rate".to_owned(),
            id: first.event,
            kind: "update".to_owned(),
        },
    };
    let cause = Cause {
        event: first.event,
        correlation: first.event.0,
        trace: first.trace,
    };
    Draft::caused_by(NAME, cause, email).with_id(derived_id(NAME, EventId(mail)))
}

async fn refused(app: &App, owner: UserId, mail: Uuid) -> Result<(), Setback> {
    let mut work = app.database.begin().await?;
    ratings::settle(&mut work, owner, mail, (None, app.clock.micros())).await?;
    work.commit().await?;
    count(KIND, "refused");
    Ok(())
}

async fn forget(app: &App, owner: UserId) -> Result<(), Setback> {
    let mut work = app.database.begin().await?;
    ratings::forget(&mut work, owner, app.clock.micros()).await?;
    work.commit().await?;
    count(KIND, "not-wanted");
    Ok(())
}

async fn put_back(app: &App, turn: Turn, setback: Setback) -> Result<(), Setback> {
    postpone(app, turn.owner, app.clock.micros(), 0).await?;
    Err(setback)
}

async fn postpone(app: &App, owner: UserId, due: i64, attempts: i64) -> Result<(), DatabaseError> {
    let mut work = app.database.begin().await?;
    ratings::postpone(&mut work, owner, due, attempts).await?;
    work.commit().await
}
