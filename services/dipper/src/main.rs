//! `dipper`: the one binary. `up` runs everything, `serve` any part of it, the other commands are
//! the operator's.

mod arguments;
mod backup;
mod catalogue;
mod docs;
mod doctor;
mod erase;
mod explain;
mod host;
mod import;
mod keys;
mod names;
mod operator;
mod privacy;
mod rebuild;
mod retention;
mod retire;
mod score;
mod serve;
mod stop;
mod takeover;
mod up;
mod user;

use std::io::Write as _;
use std::process::ExitCode;

use chassis::bus::streams::erasable::Unerasable;
use chassis::settings::Settings;
use clap::Parser as _;

use crate::arguments::{Arguments, Catalogue, Command, Keys};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The broker is set up in such a way that nobody could be erased: sysexits' word for a mistake in the
/// configuration.
const UNERASABLE: u8 = 78;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{error:#}"));
            if error.is::<Unerasable>() {
                ExitCode::from(UNERASABLE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let flags = arguments.command.settings();
    let (settings, unknown) = Settings::load(arguments.config.as_deref(), std::env::vars(), flags)?;
    if let Command::Catalogue(command) = &arguments.command
        && !command.asks_the_broker()
    {
        return catalogue::run(command);
    }
    if let Command::Erase(command) = &arguments.command {
        return Ok(erase::run(&settings, command));
    }
    if let Command::DataMap(command) = &arguments.command {
        privacy::run(command)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Score(command) = &arguments.command {
        return Ok(score::run(command));
    }
    if matches!(arguments.command, Command::Config) {
        say(toml::to_string_pretty(&settings)?.trim_end());
        say(&format!("# not set: {}", settings.unset().join(", ")));
        for name in unknown {
            complain(&format!("{name} is no setting"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    chassis::telemetry::start_logging(&settings)?;
    for name in &unknown {
        tracing::warn!(
            name,
            "this variable is no setting; `dipper config` shows what there is"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        match arguments.command {
            Command::Doctor(_) => return Ok(doctor::run(&settings, &unknown).await),
            Command::Up(_) => Box::pin(up::run(settings)).await,
            Command::Serve(command) => serve::run(settings, &command).await,
            Command::Backup(command) => Box::pin(backup::make(&settings, &command.folder)).await,
            Command::Restore(command) => Box::pin(backup::restore(&settings, &command)).await,
            Command::Keys(Keys::Admit(command)) => keys::admit(&settings, &command.kept),
            Command::Keys(Keys::Rotate(command)) => keys::rotate(&settings, &command).await,
            Command::Retention(_) => retention::run(&settings).await,
            Command::Explain(command) => explain::run(&settings, command.event).await,
            Command::Rebuild(command) => rebuild::run(&settings, &command).await,
            Command::Import(command) => Box::pin(import::run(settings, command)).await,
            Command::User(command) => Box::pin(user::run(settings, command)).await,
            Command::Catalogue(Catalogue::Readers(old)) => {
                retire::readers(&settings, &old.name).await
            }
            Command::Catalogue(Catalogue::Retire(old)) => {
                retire::retire(&settings, &old.name).await
            }
            // Done before the runtime was started.
            _ => Ok(()),
        }?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Standard output: what a command was asked for.
/// Whoever closed it wants no more.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Standard error: why a command failed, in one line.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "dipper: {}", line.replace('\n', " "));
}
