//! `dipper rebuild`: a service's database built anew from the streams, beside the live one.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chassis::bus::Bus;
use chassis::rebuild::{
    ALREADY_RUNNING, Cancel, Rebuild, Show, Start, State, Switch, TableCompared,
};
use chassis::rpc::{AskError, ask_service};
use chassis::settings::Settings;

use crate::arguments::{Rebuild as Arguments, SwitchWhen};
use crate::say;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The service may be away for so many looks in a row.
const MOST_MISSED: u32 = 40;

/// Begins a rebuild, shows how far it is and tells what came of it; or ends the one that runs.
pub(crate) async fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    let service = arguments.service.as_str();
    ensure!(
        envelope::reader(service).is_some_and(|reader| reader.is_derived),
        "{service} also keeps what no stream tells, so it cannot be built anew from the streams"
    );
    let bus = Bus::connect(&settings.broker_of_instance("operator")?, "operator").await?;
    let outcome = if arguments.cancel {
        cancel(&bus, service).await
    } else {
        rebuild(&bus, service, arguments).await
    };
    bus.close().await;
    outcome
}

async fn cancel(bus: &Bus, service: &str) -> anyhow::Result<()> {
    let was_there = ask_service(bus, service, &Cancel {}).await?;
    ensure!(was_there, "no rebuild of {service} runs");
    say(&format!("the rebuild of {service} ends"));
    Ok(())
}

async fn rebuild(bus: &Bus, service: &str, arguments: &Arguments) -> anyhow::Result<()> {
    let question = Start {
        switch: match arguments.switch {
            SwitchWhen::Never => Switch::Never,
            SwitchWhen::IfEqual => Switch::IfEqual,
            SwitchWhen::Always => Switch::Always,
        },
        events_per_second: arguments.per_second,
    };
    let started = match ask_service(bus, service, &question).await {
        Err(error) if error.refusal() == Some(ALREADY_RUNNING) => {
            bail!("another rebuild of {service} runs; wait for its end, or use --cancel")
        }
        started => started?,
    };
    let ended = watch(bus, service, &started).await?;
    tell(service, &ended)
}

/// Follows it to its end.
async fn watch(bus: &Bus, service: &str, started: &Rebuild) -> anyhow::Result<Rebuild> {
    let mut missed = 0;
    loop {
        match ask_service(bus, service, &Show {}).await {
            Ok(Some(rebuild)) => {
                missed = 0;
                ensure!(rebuild.id == started.id, "another rebuild was begun");
                show(&rebuild);
                if rebuild.has_ended() {
                    return Ok(rebuild);
                }
            }
            Err(error @ AskError::Unavailable(_)) => {
                missed += 1;
                if missed > MOST_MISSED {
                    return Err(error).context("the rebuild may go on");
                }
            }
            Ok(None) => bail!("the rebuild is gone"),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One line that is written over, for whoever watches a terminal.
fn show(rebuild: &Rebuild) {
    let mut out = std::io::stderr();
    if !out.is_terminal() {
        return;
    }
    let progress = &rebuild.progress;
    let streams: Vec<String> = progress
        .streams
        .iter()
        .map(|one| format!("{} {}/{}", one.stream, one.checkpoint, one.live))
        .collect();
    let end = if rebuild.has_ended() { "\n" } else { "" };
    // Whoever closed it wants no more.
    let _ = write!(
        out,
        "\r\x1b[K{}: {} events, {}/s  {}{end}",
        word(rebuild.state),
        progress.events,
        progress.events_per_second,
        streams.join("  ")
    );
    let _ = out.flush();
}

fn tell(service: &str, rebuild: &Rebuild) -> anyhow::Result<()> {
    let progress = &rebuild.progress;
    for table in &progress.tables {
        let verdict = if table.is_equal() {
            "equal".to_owned()
        } else {
            format!(
                "different: {} rows only live, {} only built",
                table.only_live, table.only_built
            )
        };
        let (live, built) = (table.live_rows, table.built_rows);
        say(&format!(
            "{:<10} {live:>10} live {built:>10} built  {verdict}",
            table.table
        ));
    }
    let events = format!(
        "{} events, {}/s, {} skipped; live workers waited {} ms",
        progress.events, progress.events_per_second, progress.skipped, progress.held_ms
    );
    let is_equal = progress.tables.iter().all(TableCompared::is_equal);
    match rebuild.state {
        State::Switched => say(&format!("{service} is rebuilt and switched: {events}")),
        State::Compared if is_equal => say(&format!(
            "{service} is equal to what the streams say: {events}"
        )),
        State::Compared => {
            bail!("{service} differs from what the streams say and was not switched: {events}")
        }
        State::Cancelled => bail!("the rebuild was cancelled"),
        _ => bail!(
            "the rebuild failed: {}",
            progress.reason.as_deref().unwrap_or("for no known reason")
        ),
    }
    Ok(())
}

const fn word(state: State) -> &'static str {
    match state {
        State::Asked => "asked",
        State::Reading => "reading",
        State::Comparing => "comparing",
        State::Compared => "compared",
        State::Switched => "switched",
        State::Cancelled => "cancelled",
        State::Failed => "failed",
    }
}
