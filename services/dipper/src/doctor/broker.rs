//! The broker: whether it can be reached, keeps what it acknowledges, forgets what it has to, and has the catalogue's streams.

use std::time::Duration;

use chassis::bus::Bus;
use chassis::bus::monitoring::{self, not_durable};
use chassis::bus::streams::differences::{self, Found};
use chassis::bus::streams::erasable;
use chassis::nats_server::monitoring_of;
use chassis::settings::Settings;

use super::Report;

const WHAT: &str = "broker";
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn examine(settings: &Settings, report: &mut Report) {
    let own = settings.data_dir.join("nats");
    let is_elsewhere = settings.nats_url.is_some() || settings.nats_credentials.is_some();
    if !is_elsewhere && !own.join("credentials.json").exists() {
        return report.warn(
            WHAT,
            "none yet",
            "`dipper up` brings its own, or set DIPPER_NATS_URL",
        );
    }
    connection(settings, report).await;
    let mut servers = settings.monitored_servers();
    if servers.is_empty() && !is_elsewhere {
        servers.extend(monitoring_of(&own));
    }
    if servers.is_empty() {
        report.warn(
            "durability",
            "whether the broker keeps what it acknowledges cannot be seen",
            "set DIPPER_NATS_MONITORING to where its servers' monitoring listens",
        );
    }
    for server in servers {
        durability(&server, report).await;
    }
}

async fn connection(settings: &Settings, report: &mut Report) {
    // As `serve` looks at them.
    let bus = match settings.broker_of_instance("setup") {
        Ok(access) => Bus::connect(&access, "setup").await.map_err(Into::into),
        Err(error) => Err(error),
    };
    let bus = match bus {
        Ok(bus) => bus,
        Err(error) => {
            let advice = "start it, or correct DIPPER_NATS_URL or DIPPER_NATS_CREDENTIALS";
            return report.fail(WHAT, &format!("{error:#}"), advice);
        }
    };
    let version = bus.client().server_info().version;
    report.ok(WHAT, &format!("nats-server {version} answers"));
    streams(&bus, settings, report).await;
    bus.close().await;
}

async fn streams(bus: &Bus, settings: &Settings, report: &mut Report) {
    const WHAT: &str = "streams";
    let wanted = settings.streams();
    let looking = differences::look(bus, &wanted);
    let found = match tokio::time::timeout(ANSWERS_WITHIN, looking).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let advice = "see \"A server of the broker is lost\" in docs/runbooks.md";
            return report.fail(WHAT, &format!("{error:#}"), advice);
        }
        Err(_) => {
            let advice = "most servers of a cluster have to be there; start them";
            return report.fail(WHAT, "JetStream does not answer", advice);
        }
    };
    let mut declared = 0;
    for (name, found) in found {
        match found {
            Found::AsDeclared => declared += 1,
            Found::Missing => report.warn(
                WHAT,
                &format!("{name} is missing"),
                "the next start makes it",
            ),
            Found::Differs(differences) => report.fail(
                WHAT,
                &format!("{name} is not as declared, {}", differences.join("; ")),
                "start one process with --update-streams",
            ),
            Found::Unerasable(why) => report.fail(
                WHAT,
                &why,
                "make the stream anew: what it holds under that setting stays on the disk",
            ),
        }
    }
    report.ok(WHAT, &format!("{declared} are as the catalogue says"));
}

async fn durability(server: &str, report: &mut Report) {
    const WHAT: &str = "durability";
    match not_durable(server).await {
        Ok(None) => report.ok(
            WHAT,
            &format!("what {server} acknowledges survives a power failure"),
        ),
        Ok(Some(why)) => report.fail(WHAT, "NOT DURABLE", &why),
        Err(error) => {
            let advice = "start the server, or correct DIPPER_NATS_MONITORING";
            return report.fail(WHAT, &format!("{error:#}"), advice);
        }
    }
    match erasable::check_server(server).await {
        Ok(true) => report.ok(
            "erasure",
            &format!("{server} does not encrypt its streams, so deletions overwrite"),
        ),
        Ok(false) => report.warn(
            "erasure",
            &format!("whether {server} encrypts its streams cannot be seen from here"),
            "see that its configuration has no jetstream key; encrypt the disk instead",
        ),
        Err(error) => report.fail(
            "erasure",
            &format!("{error:#}"),
            "take the key away and make its streams anew",
        ),
    }
    if let Ok(theirs) = monitoring::time(server).await {
        report.clock(server, theirs);
    }
}
