//! `dipper serve`: some services against a broker and a database.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::ensure;
use chassis::bus::Bus;
use chassis::bus::streams::{self, OnDrift};
use chassis::settings::Settings;
use utoipa_axum::router::OpenApiRouter;

use crate::arguments::Serve;
use crate::host::{Door, Host, refuse_encryption, tell_durability};
use crate::names::ServiceName;
use crate::say;
use crate::stop::Signals;

/// The login that makes streams.
const SETUP: &str = "setup";

/// Runs until asked to stop.
pub(crate) async fn run(settings: Settings, command: &Serve) -> anyhow::Result<()> {
    let names = ServiceName::expand(&command.services);
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, ServiceName::default_port(&names)));
    let door = Door::open(settings.listen.unwrap_or(default), &settings).await?;
    let url = door.url();

    let mut signals = Signals::take()?;
    let starting = Box::pin(start(settings, door, &url, &names, command));
    let Some(host) = signals.unless_asked(starting).await? else {
        return Ok(());
    };
    let list: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    say(&format!("serving {}", list.join(", ")));
    say(&format!("dipper ready {url}"));
    signals.asked_or_stopped(&host.lifecycle).await;
    // Who asks a second time does not want to wait.
    let handing_over = async {
        host.hand_over().await;
        Ok(())
    };
    signals.unless_asked(handing_over).await?;
    host.finish().await
}

async fn start(
    settings: Settings,
    door: Door,
    url: &str,
    names: &[ServiceName],
    command: &Serve,
) -> anyhow::Result<Host> {
    let setup = set_up(&settings, command).await?;
    let servers = settings.monitored_servers();
    for address in &servers {
        tell_durability(address).await;
    }
    for address in &servers {
        refuse_encryption(address).await?;
    }
    let (broker, wanted) = (settings.clone(), settings.streams());
    let mut host = Host::build(settings, url, names, |user| broker.broker(user)).await?;
    if let Some(setup) = setup {
        host.watch_streams(setup, wanted);
    }
    host.start(Some(door), OpenApiRouter::new()).await?;
    host.wait_until_open().await?;
    Ok(host)
}

/// Makes and checks the streams, if that is this process's to do: who has credentials of its own services only leaves
/// it to one that has the login.
async fn set_up(settings: &Settings, command: &Serve) -> anyhow::Result<Option<Bus>> {
    if !settings.has_login(SETUP)? {
        ensure!(
            !command.update_streams,
            "--update-streams needs the login {SETUP}, which the credentials file does not hold"
        );
        say("streams are made by another process: the credentials file holds no login for it");
        return Ok(None);
    }
    let setup = Bus::connect(&settings.broker(SETUP)?, SETUP).await?;
    let on_drift = if command.update_streams {
        OnDrift::Update
    } else {
        OnDrift::Refuse
    };
    let wanted = settings.streams();
    let ensuring = streams::ensure(&setup, &wanted, on_drift);
    setup.unless_refused(ensuring).await?;
    Ok(Some(setup))
}
