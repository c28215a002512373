//! `dipper import`: somebody comes from another instance, with the archive that they were given there.
//!
//! The archive is checked as a whole before anybody is asked for anything ([`check`]); what is to be done follows from
//! it ([`plan`], [`others`]); then each service takes its part ([`carry`]). Whoever is killed in between begins
//! again with the same archive.

mod carry;
mod check;
mod others;
mod plan;

use std::fs::File;

use anyhow::Context as _;
use archive::Unpacked;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::settings::Settings;

use crate::arguments::Import;
use crate::names::ServiceName;
use crate::operator::ask_instance;
use crate::say;
use crate::user::chosen_password;
use plan::{Account, Plan};

/// All that keep something of a person but what belongs to an instance.
const ASKED: [ServiceName; 5] = [
    ServiceName::UserApi,
    ServiceName::AuthApi,
    ServiceName::TickApi,
    ServiceName::Notifier,
    ServiceName::Statistics,
];

/// Imports the archive, and prints the user's id, and the password if it was made here.
pub(crate) async fn run(settings: Settings, command: Import) -> anyhow::Result<()> {
    let file = File::open(&command.archive)
        .with_context(|| format!("cannot open {}", command.archive.display()))?;
    let mut archive = Unpacked::open(file)?;
    let plan = Plan::new(&archive.document, Clock::default().now())?;
    let account = Account {
        password: chosen_password(command.password_stdin)?,
        role: command.role,
    };
    let asking = async |bus: &Bus| carry::all(bus, &mut archive, plan, account).await;
    let made = ask_instance(settings, &ASKED, asking).await?;
    say(&format!("user {}", archive.document.person));
    if let Some(password) = made {
        say(&format!("password {password}"));
    }
    Ok(())
}
