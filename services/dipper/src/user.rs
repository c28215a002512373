//! `dipper user create`: a confirmed account, whether the instance runs or not.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use chassis::bus::Bus;
use chassis::rpc::{AskError, ask};
use chassis::settings::Settings;
use clients::auth::{CreateAccount, CreatedAccount};

use crate::arguments::{CreateUser, User};
use crate::names::ServiceName;
use crate::operator::ask_instance;
use crate::say;

/// Creates the account and prints its user id, and the password if it was made here.
pub(crate) async fn run(settings: Settings, command: User) -> anyhow::Result<()> {
    let User::Create(create) = command;
    let question = question(create)?;
    // The two services that keep accounts.
    let asked = [ServiceName::UserApi, ServiceName::AuthApi];
    let asking = async |bus: &Bus| explain(ask(bus, &question).await);
    let account = ask_instance(settings, &asked, asking).await?;
    say(&format!("user {}", account.user));
    if let Some(password) = account.generated_password {
        say(&format!("password {password}"));
    }
    Ok(())
}

fn question(create: CreateUser) -> anyhow::Result<CreateAccount> {
    Ok(CreateAccount {
        email: create.email,
        name: create.name,
        password: chosen_password(create.password_stdin)?,
        role: create.role,
    })
}

/// The password on standard input, if one is there; otherwise the instance makes one.
pub(crate) fn chosen_password(is_on_stdin: bool) -> anyhow::Result<Option<String>> {
    if !is_on_stdin {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("cannot read the password")?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
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
