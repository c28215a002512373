//! `dipper restore`: everything is verified before anything is changed; then the folder is marked, so that
//! nothing is served from it before everybody who was erased since the backup is erased again.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Component, Path};

use anyhow::{Context as _, bail, ensure};
use chassis::bus::{Access, Bus};
use chassis::clock::Clock;
use chassis::database::snapshot::{files, first_file};
use chassis::keys::{Keys, create_private_folder};
use chassis::ledger::Head;
use chassis::restored::{Mark, Restored};
use chassis::sealed_file::destroy;
use chassis::settings::Settings;
use chrono::SecondsFormat;
use serde_json::Value;

use super::manifest::{Databases, Manifest};
use super::pack::Unpacker;
use super::postgres::Postgres;
use super::{DATABASES, PHOTOS, STREAMS, keys_of, photos_of, shelf, start_broker};
use crate::arguments::{Only, Restore};
use crate::{say, up};

/// A backup that is brought back.
struct Restoring<'a> {
    settings: &'a Settings,
    keys: Keys,
    folder: &'a Path,
    manifest: Manifest,
    /// None if the databases are files.
    postgres: Option<Postgres>,
}

/// Brings a backup back, or a part of it.
pub(crate) async fn run(settings: &Settings, command: &Restore) -> anyhow::Result<()> {
    let data = &settings.data_dir;
    let keys = keys_of(settings)?;
    let Some(_lock) = up::lock(data)? else {
        bail!("{} is in use by a dipper; stop it first", data.display());
    };
    let folder = shelf::find(&command.folder)?;
    let (restoring, ledger) = Restoring::open(settings, keys, &folder)?;
    let mark = Mark::of(data);
    let mut missing = mark.read()?.map_or(Vec::new(), |before| before.missing);
    let was_broken_off = !missing.is_empty();
    if command.only.is_none() && !command.replace && !was_broken_off {
        restoring.ensure_empty().await?;
    }
    restoring.manifest.key(&restoring.keys)?;
    restoring.manifest.verify(&folder)?;
    say(&format!("{} is whole", folder.display()));
    let parts = parts_of(command.only);
    missing.retain(|part| !parts.contains(&part.as_str()));
    missing.extend(parts.iter().map(|part| (*part).to_owned()));
    let at = Clock::default().now();
    let restored = Restored {
        at,
        missing,
        ledger,
    };
    restoring.bring_back_all(parts, &mark, restored).await?;
    let made = restoring.manifest.created_at;
    say(&format!(
        "restored as of {}; at its next start the instance erases again who was erased since, and serves then",
        made.to_rfc3339_opts(SecondsFormat::Secs, true)
    ));
    Ok(())
}

fn parts_of(only: Option<Only>) -> &'static [&'static str] {
    match only {
        None => &[DATABASES, PHOTOS, STREAMS],
        Some(Only::Databases) => &[DATABASES, PHOTOS],
        Some(Only::Streams) => &[STREAMS],
    }
}

impl<'a> Restoring<'a> {
    /// A backup that is not past its life, and how far the ledger is that goes on from it.
    fn open(settings: &'a Settings, keys: Keys, folder: &'a Path) -> anyhow::Result<(Self, Head)> {
        let manifest = Manifest::read(folder, &keys)?;
        ensure!(
            !manifest.is_expired(Clock::default().now(), settings.backup_life.0),
            "{} is past its life: who was erased since may not be known any more. Restore a newer one",
            folder.display()
        );
        let postgres = Postgres::of(settings)?;
        ensure!(
            postgres.is_some() == (manifest.databases == Databases::Postgres),
            "{} has its databases in {}, this instance has not: set DIPPER_DATABASE_URL to one of those",
            folder.display(),
            manifest.databases.name()
        );
        let ledger = settings.ledger(&keys).read_from(&manifest.ledger)?;
        let restoring = Self {
            settings,
            keys,
            folder,
            manifest,
            postgres,
        };
        Ok((restoring, ledger.head()))
    }

    /// The mark comes before the first change, and always says what is missing.
    async fn bring_back_all(
        &self,
        parts: &[&str],
        mark: &Mark,
        mut restored: Restored,
    ) -> anyhow::Result<()> {
        mark.set(&restored)?;
        for part in parts {
            self.bring_back(part).await?;
            restored.missing.retain(|missing| missing != part);
            mark.set(&restored)?;
        }
        Ok(())
    }

    async fn ensure_empty(&self) -> anyhow::Result<()> {
        if let Some(postgres) = &self.postgres {
            ensure!(
                postgres.is_empty().await?,
                "the database has tables of Dipper: restore into an empty one, or say --replace to lose what is there"
            );
        }
        let data = &self.settings.data_dir;
        for name in ["db", "objects", "nats"] {
            let folder = data.join(name);
            let is_empty = !folder.exists() || std::fs::read_dir(&folder)?.next().is_none();
            ensure!(
                is_empty,
                "{} is not empty: restore into another data folder that has the keys and the ledger, or say --replace to lose what is there",
                folder.display()
            );
        }
        Ok(())
    }

    async fn bring_back(&self, part: &str) -> anyhow::Result<()> {
        say(&format!("restoring the {part}"));
        let path = self.folder.join(part);
        let packed = Unpacker::open(&path, self.manifest.key(&self.keys)?)?;
        let outcome = match part {
            DATABASES => self.databases(packed).await,
            PHOTOS => self.photos(packed),
            _ => self.streams(packed).await,
        };
        outcome.with_context(|| format!("the {part} are not restored; run it again"))
    }

    async fn databases(&self, mut packed: Unpacker) -> anyhow::Result<()> {
        if let Some(postgres) = &self.postgres {
            return postgres.restore(&mut packed).await;
        }
        let url = self.settings.database()?;
        while let Some(service) = packed.next_file()? {
            for old in files(&url, &service)? {
                destroy(&old)?;
            }
            write_file(&first_file(&url, &service)?, &mut packed)?;
        }
        Ok(())
    }

    fn photos(&self, mut packed: Unpacker) -> anyhow::Result<()> {
        let folder = photos_of(&self.settings.data_dir);
        destroy_all(&folder)?;
        create_private_folder(&folder)?;
        while let Some(name) = packed.next_file()? {
            let path = Path::new(&name);
            let is_below = path
                .components()
                .all(|one| matches!(one, Component::Normal(_)));
            ensure!(is_below, "a photo of the backup has no name of a photo");
            write_file(&folder.join(path), &mut packed)?;
        }
        Ok(())
    }

    async fn streams(&self, packed: Unpacker) -> anyhow::Result<()> {
        destroy_all(&self.settings.data_dir.join("nats").join("store"))?;
        let server = start_broker(self.settings).await?;
        let filling = fill(&server.credentials().access("setup"), packed).await;
        server.stop().await?;
        filling
    }
}

async fn fill(access: &Access, mut packed: Unpacker) -> anyhow::Result<()> {
    let bus = Bus::connect(access, "setup").await?;
    while let Some(stream) = packed.next_file()? {
        let about = packed.next_part()?.unwrap_or_default();
        let about: Value = serde_json::from_slice(&about)?;
        let parts = || Ok(packed.next_part()?);
        bus.restore((&stream, &about), parts).await?;
    }
    bus.close().await;
    Ok(())
}

fn write_file(path: &Path, packed: &mut Unpacker) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(io::Error::other)?;
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    while let Some(part) = packed.next_part()? {
        file.write_all(&part)?;
    }
    file.sync_all()
}

/// Overwrites and removes all files of a folder, and the folder.
fn destroy_all(folder: &Path) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot empty {}", folder.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            destroy_all(&entry.path())?;
        } else {
            destroy(&entry.path())?;
        }
    }
    Ok(std::fs::remove_dir(folder)?)
}
