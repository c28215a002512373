//! The table of answered questions, and the answers.

use chassis::rpc::{Answers, AskError, BoundAnswers, Refusal, ask};
use clients::auth::{
    CreateAccount, CreatedAccount, EndSessions, MailSecret, Proof, Reauthenticate, SendCode,
    Session, SetRole, VerifyToken,
};
use clients::import::ReturnCredential;
use clients::notifier::{AccountMail, QueueAccountMail};
use clients::user::FindOrCreate;
use envelope::UserId;

use crate::account::{Email, Name, Password};
use crate::error::Error;
use crate::handlers::registrations::create_confirmed;
use crate::handlers::sessions::end_all;
use crate::secrets::{self as made, CODE_LASTS, CONFIRMATION_LASTS, RESET_LASTS};
use crate::store::{credentials, resets, secrets, sessions};
use crate::{App, proof, suspension};

pub(crate) fn answers(app: App) -> BoundAnswers {
    Answers::new()
        .on(verify_token)
        .on(reauthenticate)
        .on(send_code)
        .on(end_sessions)
        .on(create_account)
        .on(return_credential)
        .on(set_role)
        .on(mail_secret)
        .on(suspension::show_account)
        .on(suspension::suspend)
        .with_state(app)
}

async fn verify_token(app: App, question: VerifyToken) -> Result<Session, Refusal> {
    let now = app.clock.micros();
    let found = async {
        let mut session = app.database.read().await?;
        sessions::find(&mut session, &question.token_hash, now).await
    };
    let found = found.await.map_err(|error| Refusal::internal(&error))?;
    found.ok_or_else(|| Refusal::new("unknown-token"))
}

async fn end_sessions(app: App, question: EndSessions) -> Result<(), Refusal> {
    Ok(end_all(&app, question.user).await?)
}

async fn reauthenticate(app: App, question: Reauthenticate) -> Result<(), Refusal> {
    let Reauthenticate { user, proof } = question;
    let refused = match &proof {
        Proof::Password(_) => "wrong-password",
        Proof::Code(_) => "wrong-code",
    };
    if proof::holds(&app, user, proof).await? {
        Ok(())
    } else {
        Err(Refusal::new(refused))
    }
}

async fn send_code(app: App, question: SendCode) -> Result<(), Refusal> {
    let mail = QueueAccountMail {
        user: question.user,
        kind: AccountMail::Code,
    };
    let queued = ask(&app.bus, &mail).await;
    queued.map_err(|error| passed_on(&error))
}

async fn create_account(app: App, question: CreateAccount) -> Result<CreatedAccount, Refusal> {
    let refusal = |code: &'static str| move |_: &str| Refusal::new(code);
    let email = Email::parse(&question.email).map_err(refusal("invalid-email"))?;
    let name = Name::parse(&question.name).map_err(refusal("invalid-name"))?;
    let (password, generated_password) = chosen_or_made(&app, question.password)?;
    let find = FindOrCreate {
        email: email.into_string(),
        name: name.into_string(),
    };
    let user = ask(&app.bus, &find)
        .await
        .map_err(|error| passed_on(&error))?;
    let hash = app.passwords.hash(password.into_string()).await;
    let hash = hash.map_err(|error| Refusal::internal(&error))?;
    let created = async {
        let mut work = app.database.begin().await?;
        let created = create_confirmed(&app, &mut work, (user, &hash), question.role).await?;
        work.commit().await?;
        Ok::<_, Error>(created)
    };
    if !created.await? {
        return Err(Refusal::new("exists"));
    }
    Ok(CreatedAccount {
        user,
        generated_password,
    })
}

/// The password that was chosen, or a random one and, to be told, that one.
fn chosen_or_made(
    app: &App,
    chosen: Option<String>,
) -> Result<(Password, Option<String>), Refusal> {
    let made = match chosen {
        None => Some(made::password(&app.clock)),
        Some(_) => None,
    };
    let password = Password::parse(chosen.or_else(|| made.clone()).unwrap_or_default());
    let password = password.map_err(|_| Refusal::new("invalid-password"))?;
    Ok((password, made))
}

/// No `user.register` is published: the person brings theirs along.
async fn return_credential(
    app: App,
    question: ReturnCredential,
) -> Result<Option<String>, Refusal> {
    let (password, made) = chosen_or_made(&app, question.password.clone())?;
    let hash = app.passwords.hash(password.into_string()).await;
    let hash = hash.map_err(|error| Refusal::internal(&error))?;
    let mut work = app.database.begin().await?;
    if work.is_erased(question.user.0).await? {
        return Err(Refusal::new("erased"));
    }
    credentials::give_back(&mut work, &question, &hash).await?;
    work.commit().await?;
    Ok(made)
}

/// Another service's reason for refusing is ours.
fn passed_on(error: &AskError) -> Refusal {
    match error.refusal() {
        Some(code) => Refusal::new(code),
        None => Refusal::internal(error),
    }
}

async fn set_role(app: App, question: SetRole) -> Result<(), Refusal> {
    let SetRole { user, role } = question;
    let changed = async {
        let mut work = app.database.begin().await?;
        let known =
            !work.is_erased(user.0).await? && credentials::set_role(&mut work, user, role).await?;
        work.commit().await?;
        Ok::<_, Error>(known)
    };
    let known = changed.await?;
    app.authenticator.forget(user);
    if known {
        Ok(())
    } else {
        Err(Refusal::new("unknown-user"))
    }
}

async fn mail_secret(app: App, question: MailSecret) -> Result<String, Refusal> {
    let made = match question.kind {
        AccountMail::Confirm => new_confirmation(&app, question.user).await?,
        AccountMail::Code => new_code(&app, question.user).await?,
        AccountMail::Reset => new_reset(&app, question.user).await?,
        AccountMail::AlreadyRegistered
        | AccountMail::AddressChanging
        | AccountMail::PasswordChanged => Some(String::new()),
        // UserAPI makes what that link holds.
        AccountMail::ConfirmAddress => None,
    };
    made.ok_or_else(|| Refusal::new("not-needed"))
}

async fn new_confirmation(app: &App, user: UserId) -> Result<Option<String>, Error> {
    let token = made::token(&app.clock);
    let expires_at = (app.clock.now() + CONFIRMATION_LASTS).timestamp_micros();
    let mut work = app.database.begin().await?;
    let needed = !work.is_erased(user.0).await?
        && secrets::add_confirmation(&mut work, user, &token.hash, expires_at).await?;
    work.commit().await?;
    Ok(needed.then_some(token.text))
}

async fn new_reset(app: &App, user: UserId) -> Result<Option<String>, Error> {
    let token = made::token(&app.clock);
    let expires_at = (app.clock.now() + RESET_LASTS).timestamp_micros();
    let mut work = app.database.begin().await?;
    let needed = !work.is_erased(user.0).await?
        && resets::add(&mut work, user, &token.hash, expires_at).await?;
    work.commit().await?;
    Ok(needed.then_some(token.text))
}

async fn new_code(app: &App, user: UserId) -> Result<Option<String>, Error> {
    let code = made::code(&app.clock);
    let hash = made::code_hash(&app.code_key, user, &code);
    let expires_at = (app.clock.now() + CODE_LASTS).timestamp_micros();
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Ok(None);
    }
    secrets::set_code(&mut work, user, &hash, expires_at).await?;
    work.commit().await?;
    Ok(Some(code))
}
