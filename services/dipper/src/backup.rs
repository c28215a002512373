//! `dipper backup` and `dipper restore`: databases, streams and photos of an instance, sealed, and the way
//! back. Neither the keys nor the ledger of erased people are part of a backup: without the first it is
//! unreadable, and without the second it is not restored.

mod make;
mod manifest;
mod pack;
mod postgres;
mod restore;
mod shelf;
mod staging;

pub(crate) use make::run as make;
pub(crate) use restore::run as restore;
pub(crate) use staging::clear as clear_up;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use chassis::keys::Keys;
use chassis::nats_server::NatsServer;
use chassis::settings::Settings;
use clients::permissions;

/// What a backup has of each kind, in a file of its own.
const DATABASES: &str = "databases";
const STREAMS: &str = "streams";
const PHOTOS: &str = "photos";

/// The keys of the instance, which must be there: with new ones nothing could be opened.
pub(crate) fn keys_of(settings: &Settings) -> anyhow::Result<Keys> {
    let file = settings.data_dir.join("keys").join("master.key");
    ensure!(
        settings.secret.is_some() || file.exists(),
        "{} is not there; bring back the keys of the instance, or set DIPPER_SECRET",
        file.display()
    );
    settings.keys()
}

/// The broker of an instance that does not run.
async fn start_broker(settings: &Settings) -> anyhow::Result<NatsServer> {
    let named = settings.nats_server.clone();
    let program = named.unwrap_or_else(|| PathBuf::from("nats-server"));
    let folder = settings.data_dir.join("nats");
    NatsServer::start(&program, &folder, &permissions::on_one_machine()).await
}

/// How much it is, for people.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes.div_ceil(KIB) {
        kib if kib >= 10 * KIB => format!("{} MiB", kib.div_ceil(KIB)),
        kib => format!("{kib} KiB"),
    }
}

/// Photos' folder of a data folder.
fn photos_of(data: &Path) -> PathBuf {
    data.join("objects")
}
