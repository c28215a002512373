//! A mail about ratings.

use std::collections::HashSet;

use chassis::database::DatabaseError;
use chassis::fault;
use chassis::group_commit::{Change, GroupCommit};
use chassis::rpc::ask;
use chassis::trace::spans;
use chassis::unit_of_work::{Cause, Draft, Work, WorkError};
use clients::caller::token_hash;
use clients::notifier::recipient_mark;
use clients::user::{Address, Notifications, Purpose, Recipient};
use envelope::{EventId, UserId, derived_id, notification};
use uuid::Uuid;

use super::{MOST_ATTEMPTS, Setback, after, count, outage, until_erased};
use crate::digest::{Decision, decide};
use crate::letter::{self, Language, Told};
use crate::post::{NotSent, To};
use crate::store::ratings::{self, Turn};
use crate::{App, NAME, store};

const KIND: &str = "rating";

/// A mail that was decided on.
#[derive(Debug)]
pub(crate) struct Mail {
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
    let reader = (Language::of(&recipient.locale), name.as_str());
    let letter = letter::ratings(&app.public_url, reader, &mail.told, token)?;
    let to = To {
        email: &recipient.email,
        name,
        mark: &recipient_mark(&app.keys, owner),
    };
    let place = mail.told.iter().find_map(|told| told.trace);
    let span = place.and_then(spans::mailing);
    let outcome = app
        .post
        .send(mail.id, to, letter, until_erased(&app, owner))
        .await;
    if let Some(span) = span {
        span.failed_if(outcome.is_err()).end();
    }
    match outcome {
        Ok(()) => sent(&app, owner, &mail).await,
        Err(NotSent::Later) if turn.attempts < MOST_ATTEMPTS => {
            count(KIND, "later");
            let due = after(app.clock.micros(), outage::delay_of(turn.attempts));
            Ok(postpone(&app, owner, due, 1).await?)
        }
        Err(NotSent::Later | NotSent::Refused) => refused(&app, owner, mail.id).await,
        // Its rows went with the erasure.
        Err(NotSent::BrokenOff) => {
            count(KIND, "broken-off");
            Ok(())
        }
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
async fn prepare(app: &App, turn: Turn, wish: Notifications) -> Result<Option<Mail>, Setback> {
    let at_most_every = app.digest_interval;
    let decision = decide(wish, turn.last_sent_at, app.clock.micros(), at_most_every);
    let choice = Choice {
        turn,
        decision,
        unsubscribe_token: app.clock.secret(),
    };
    together(app, &app.choices, choice).await
}

/// Makes a change together with those of other mails; by itself when the process is stopping: what was
/// handed over must be noted.
async fn together<C>(app: &App, group: &GroupCommit<C>, change: C) -> Result<C::Answer, Setback>
where
    C: Change + Clone,
    C::Answer: Default,
{
    if let Some(stored) = group.submit(change.clone()).await {
        return Ok(stored?);
    }
    let mut work = app.database.begin().await?;
    let answer = C::apply(&mut work, &[change]).await?.pop();
    work.commit().await?;
    Ok(answer.unwrap_or_default())
}

/// What an owner is to be told, to be made durable.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    turn: Turn,
    decision: Decision,
    unsubscribe_token: String,
}

impl Change for Choice {
    type Answer = Option<Mail>;

    async fn apply(work: &mut Work, changes: &[Self]) -> Result<Vec<Option<Mail>>, WorkError> {
        let owners: Vec<Uuid> = changes.iter().map(|one| one.turn.owner.0).collect();
        let erased = work.erased_among(&owners).await?;
        let mut mails = Vec::with_capacity(changes.len());
        for choice in changes {
            mails.push(choice.make(work, &erased).await?);
        }
        Ok(mails)
    }
}

impl Choice {
    async fn make(
        &self,
        work: &mut Work,
        erased: &HashSet<Uuid>,
    ) -> Result<Option<Mail>, DatabaseError> {
        let (owner, now) = (self.turn.owner, work.clock().micros());
        if self.decision == Decision::Drop || erased.contains(&owner.0) {
            ratings::forget(work, owner, now).await?;
            return Ok(None);
        }
        let chosen = match begun(work, self.turn).await? {
            Some(mail) => Some(mail),
            None => self.choose(work).await?,
        };
        let Some((id, told)) = chosen else {
            return Ok(None);
        };
        let unsubscribe_token = self.unsubscribe_token.clone();
        let hash = token_hash(&unsubscribe_token);
        store::unsubscribes::insert(work, &hash, owner, now).await?;
        Ok(Some(Mail {
            id,
            told,
            unsubscribe_token,
        }))
    }

    /// A new mail, if one is due; otherwise the owner is looked at when one is.
    async fn choose(&self, work: &mut Work) -> Result<Option<(Uuid, Vec<Told>)>, DatabaseError> {
        let owner = self.turn.owner;
        // Thousands may wait: they are not read again for each mail about one of them.
        let limit = match self.decision {
            Decision::SendAll => i64::MAX,
            Decision::SendOldest | Decision::Wait(_) | Decision::Drop => 1,
        };
        let told = ratings::waiting(work, owner, limit).await?;
        if told.is_empty() {
            let now = work.clock().micros();
            ratings::rest(work, owner, None, now).await?;
            return Ok(None);
        }
        if let Decision::Wait(due) = self.decision {
            ratings::postpone(work, owner, due, 0).await?;
            return Ok(None);
        }
        if fault::is("mail-before-commit") {
            return Ok(Some((work.clock().random_id(), told)));
        }
        let events: Vec<EventId> = told.iter().map(|told| told.event).collect();
        let id = letter::mail_id(&events);
        ratings::assign(work, owner, id, &events).await?;
        Ok(Some((id, told)))
    }
}

/// The mail that was on its way when somebody stopped, unless all that it told of is gone.
async fn begun(work: &mut Work, turn: Turn) -> Result<Option<(Uuid, Vec<Told>)>, DatabaseError> {
    let Some(id) = turn.mail else {
        return Ok(None);
    };
    let told = ratings::of_mail(work, turn.owner, id).await?;
    Ok((!told.is_empty()).then_some((id, told)))
}

/// A mail that the server has taken over: what it told of goes, and the event says so.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    owner: UserId,
    mail: Uuid,
    /// The oldest of the ratings that it told of.
    first: Told,
}

impl Change for Sent {
    type Answer = ();

    async fn apply(work: &mut Work, changes: &[Self]) -> Result<Vec<()>, WorkError> {
        let owners: Vec<Uuid> = changes.iter().map(|sent| sent.owner.0).collect();
        let erased = work.erased_among(&owners).await?;
        let now = work.clock().micros();
        for Sent { owner, mail, first } in changes {
            // Somebody who was erased while their mail was on its way leaves nothing here.
            if !erased.contains(&owner.0) {
                ratings::settle(work, *owner, *mail, (Some(now), now)).await?;
                work.publish(notification(*owner, *mail, first))?;
            }
        }
        Ok(vec![(); changes.len()])
    }
}

async fn sent(app: &App, owner: UserId, mail: &Mail) -> Result<(), Setback> {
    if let Some(first) = mail.told.first() {
        let (mail, first) = (mail.id, *first);
        together(app, &app.sent, Sent { owner, mail, first }).await?;
    }
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
