//! `dipper serve`: some services against a broker and a database.

use std::net::{Ipv4Addr, SocketAddr};

use chassis::bus::Bus;
use chassis::bus::streams::{self, OnDrift};
use chassis::settings::Settings;
use utoipa_axum::router::OpenApiRouter;

use crate::arguments::Serve;
use crate::host::{Door, Host, refuse_encryption, tell_durability};
use crate::names::ServiceName;
use crate::say;
use crate::stop::Signals;

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
    host.finish().await
}

async fn start(
    settings: Settings,
    door: Door,
    url: &str,
    names: &[ServiceName],
    command: &Serve,
) -> anyhow::Result<Host> {
    let setup = Bus::connect(&settings.broker("setup")?, "setup").await?;
    let servers = settings.monitored_servers();
    for address in &servers {
        tell_durability(address).await;
    }
    let on_drift = if command.update_streams {
        OnDrift::Update
    } else {
        OnDrift::Refuse
    };
    streams::ensure(&setup, &settings.streams(), on_drift).await?;
    for address in &servers {
        refuse_encryption(address).await?;
    }
    let (broker, wanted) = (settings.clone(), settings.streams());
    let mut host = Host::build(settings, url, names, |user| broker.broker(user)).await?;
    host.watch_streams(setup, wanted);
    host.start(Some(door), OpenApiRouter::new()).await?;
    host.wait_until_open().await?;
    Ok(host)
}
