//! `dipper user create`: a confirmed account, whether the instance runs or not.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use chassis::bus::{Access, Bus};
use chassis::nats_server::Credentials;
use chassis::rpc::{AskError, ask};
use chassis::settings::Settings;
use clients::auth::{CreateAccount, CreatedAccount};
use utoipa_axum::router::OpenApiRouter;

use crate::arguments::{CreateUser, User};
use crate::host::Host;
use crate::names::ServiceName;
use crate::say;
use crate::up::{self, Broker};

/// Creates the account and prints its user id, and the password if it was made here.
pub(crate) async fn run(settings: Settings, command: User) -> anyhow::Result<()> {
    let User::Create(create) = command;
    let question = question(create)?;
    let account = if settings.nats_url.is_some() || settings.nats_credentials.is_some() {
        create_through(&settings.broker("operator")?, &question).await?
    } else {
        match up::lock(&settings.data_dir)? {
            None => create_running(&settings, &question).await?,
            Some(_lock) => create_stopped(settings, &question).await?,
        }
    };
    say(&format!("user {}", account.user));
    if let Some(password) = account.generated_password {
        say(&format!("password {password}"));
    }
    Ok(())
}

fn question(create: CreateUser) -> anyhow::Result<CreateAccount> {
    let password = if create.password_stdin {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the password")?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        None
    };
    Ok(CreateAccount {
        email: create.email,
        name: create.name,
        password,
        role: create.role,
    })
}

async fn create_running(
    settings: &Settings,
    question: &CreateAccount,
) -> anyhow::Result<CreatedAccount> {
    let path = settings.data_dir.join("nats").join("credentials.json");
    create_through(&Credentials::read(&path)?.access("operator"), question).await
}

async fn create_through(
    access: &Access,
    question: &CreateAccount,
) -> anyhow::Result<CreatedAccount> {
    let bus = Bus::connect(access, "operator").await?;
    let answer = ask(&bus, question).await;
    bus.close().await;
    explain(answer)
}

/// Nobody runs: the two services that keep accounts are started for the one question.
async fn create_stopped(
    settings: Settings,
    question: &CreateAccount,
) -> anyhow::Result<CreatedAccount> {
    let (broker, setup) = Broker::start(&settings).await?;
    setup.close().await;
    let credentials = broker.credentials.clone();
    let names = [ServiceName::UserApi, ServiceName::AuthApi];
    let mut host = Host::build(settings, "http://127.0.0.1:8080", &names, |user| {
        Ok(credentials.access(user))
    })
    .await?;
    host.start(None, OpenApiRouter::new()).await?;
    let answer = create_through(&broker.credentials.access("operator"), question).await;
    host.finish().await?;
    broker.stop().await?;
    answer
}

fn explain(answer: Result<CreatedAccount, AskError>) -> anyhow::Result<CreatedAccount> {
    let refused = match answer {
        Ok(account) => return Ok(account),
        Err(error) => error,
    };
    match refused.refusal() {
        Some("exists") => bail!("an account with this address exists already"),
        Some("invalid-email") => bail!("--email is no e-mail address"),
        Some("invalid-name") => bail!("--name must have 1 to 100 characters"),
        Some("invalid-password") => bail!("the password must have 8 to 200 characters"),
        Some(other) => bail!("refused: {other}"),
        None => bail!("{refused}; is the instance running well?"),
    }
}
