//! The table of questions and their answers.

use chassis::rpc::{Answers, BoundAnswers, Refusal};
use clients::receipt::Receipt;
use clients::user::{
    Address, AddressLink, ConfirmAddress, ErasureDone, ErasureProgress, ExportProgress,
    ExtendErasure, FindByEmail, FindOrCreate, ListErasures, ListExports, ListReceipts, MayScore,
    NewAddress, Notifications, OpenErasure, OpenedErasure, Purpose, Recipient, RetryErasure,
    SetNotifications, ShowReceipt,
};
use envelope::UserId;

use crate::error::Error;
use crate::store::{erasures, identities, limits};
use crate::{App, address, deadlines, erasure, export, identity, import, receipts};

pub(crate) fn table(app: App) -> BoundAnswers {
    Answers::new()
        .on(find_or_create)
        .on(find_by_email)
        .on(address_of)
        .on(new_address)
        .on(confirm_address)
        .on(set_notifications)
        .on(may_score)
        .on(open_erasure)
        .on(list_erasures)
        .on(extend_erasure)
        .on(retry_erasure)
        .on(list_exports)
        .on(list_receipts)
        .on(show_receipt)
        .on(import::begin)
        .on(import::return_events)
        .on(import::return_identity)
        .on(import::end)
        .with_state(app)
}

async fn find_or_create(app: App, question: FindOrCreate) -> Result<UserId, Refusal> {
    let email = question.email.parse().map_err(|_| Error::InvalidEmail)?;
    let name = question.name.parse().map_err(|_| Error::InvalidName)?;
    Ok(identity::find_or_create(&app, &email, &name).await?)
}

async fn find_by_email(app: App, question: FindByEmail) -> Result<Option<UserId>, Refusal> {
    let Ok(email) = question.email.parse() else {
        // What is no address is nobody's.
        return Ok(None);
    };
    let hash = app.vault.email_hash(&email);
    let mut session = app.database.read().await.map_err(Error::from)?;
    let user = identities::by_email(&mut session, &hash).await;
    Ok(user.map_err(Error::from)?)
}

async fn address_of(app: App, question: Address) -> Result<Recipient, Refusal> {
    let person = identity::find(&app, question.user).await?;
    let person = person.ok_or(Error::UnknownUser)?;
    let mut session = app.database.read().await.map_err(Error::from)?;
    let open = erasures::open_of_user(&mut session, question.user.0).await;
    if open.map_err(Error::from)?.is_some() {
        return Err(Error::Erased.into());
    }
    let limits = limits::find(&mut session, question.user).await;
    let wish = limits.map_err(Error::from)?.wish;
    let is_silent = question.purpose == Purpose::Notification && wish.restricted;
    Ok(Recipient {
        email: person.email.ok_or(Error::UnknownUser)?,
        name: person.name,
        locale: person.locale,
        notifications: if is_silent {
            Notifications::Off
        } else {
            person.notifications
        },
    })
}

async fn new_address(app: App, question: NewAddress) -> Result<AddressLink, Refusal> {
    Ok(address::link(&app, question.user).await?)
}

async fn confirm_address(app: App, question: ConfirmAddress) -> Result<(), Refusal> {
    Ok(address::confirm(&app, &question.token).await?)
}

async fn may_score(app: App, question: MayScore) -> Result<bool, Refusal> {
    let mut session = app.database.read().await.map_err(Error::from)?;
    let limits = limits::find(&mut session, question.user).await;
    let wish = limits.map_err(Error::from)?.wish;
    Ok(!wish.restricted && !wish.scoring)
}

async fn set_notifications(app: App, question: SetNotifications) -> Result<(), Refusal> {
    Ok(identity::set_notifications(&app, question.user, question.notifications).await?)
}

async fn open_erasure(app: App, question: OpenErasure) -> Result<OpenedErasure, Refusal> {
    let mut work = app.database.begin().await.map_err(Error::from)?;
    let opened = erasure::open(&mut work, &app.request_key, question.user).await?;
    work.commit().await.map_err(Error::from)?;
    app.wake_scanner.notify_one();
    Ok(opened)
}

async fn list_erasures(app: App, _: ListErasures) -> Result<Vec<ErasureProgress>, Refusal> {
    Ok(deadlines::list(&app).await?)
}

async fn extend_erasure(app: App, question: ExtendErasure) -> Result<(), Refusal> {
    Ok(deadlines::extend(&app, &question).await?)
}

async fn retry_erasure(app: App, question: RetryErasure) -> Result<(), Refusal> {
    Ok(deadlines::retry(&app, question.request).await?)
}

async fn list_exports(app: App, _: ListExports) -> Result<Vec<ExportProgress>, Refusal> {
    Ok(export::list(&app).await?)
}

async fn list_receipts(app: App, _: ListReceipts) -> Result<Vec<ErasureDone>, Refusal> {
    Ok(receipts::list(&app).await?)
}

async fn show_receipt(app: App, question: ShowReceipt) -> Result<(Receipt, String), Refusal> {
    let signed = receipts::show(&app, question.request.0).await?;
    Ok((signed.receipt, signed.jws))
}
