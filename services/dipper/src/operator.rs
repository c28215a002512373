//! Asking an instance as its operator, whether it runs or not.

use chassis::bus::{Access, Bus};
use chassis::nats_server::Credentials;
use chassis::settings::Settings;

use crate::names::ServiceName;
use crate::up;

/// Asks a running instance; of one that does not run, the services that are asked are started for it.
pub(crate) async fn ask_instance<T>(
    settings: Settings,
    asked: &[ServiceName],
    asking: impl AsyncFnOnce(&Bus) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if settings.nats_url.is_some() || settings.nats_credentials.is_some() {
        return through(&settings.broker("operator")?, asking).await;
    }
    match up::lock(&settings.data_dir)? {
        None => {
            let path = settings.data_dir.join("nats").join("credentials.json");
            through(&Credentials::read(&path)?.access("operator"), asking).await
        }
        Some(_lock) => {
            let (host, broker) = Box::pin(up::without_door(settings, asked)).await?;
            let answer = through(&broker.credentials.access("operator"), asking).await;
            host.finish().await?;
            broker.stop().await?;
            answer
        }
    }
}

async fn through<T>(
    access: &Access,
    asking: impl AsyncFnOnce(&Bus) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let bus = Bus::connect(access, "operator").await?;
    let answer = bus.unless_refused(asking(&bus)).await;
    bus.close().await;
    answer
}
