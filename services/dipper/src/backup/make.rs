//! `dipper backup`: streams first, then all databases as they are at one later moment, then the photos
//! that were there at that moment. What was sent in between is in the outboxes of the databases and is
//! published again after a restore, so the streams are never ahead of the databases.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::snapshot::snapshot;
use chassis::keys::Keys;
use chassis::nats_server::{Credentials, NatsServer};
use chassis::restored::Mark;
use chassis::settings::Settings;
use chrono::SecondsFormat;
use envelope::STREAMS as ALL_STREAMS;

use super::manifest::{Databases, Manifest};
use super::pack::Packer;
use super::postgres::Postgres;
use super::shelf::{Draft, delete_expired};
use super::staging::Staging;
use super::{DATABASES, PHOTOS, STREAMS, keys_of, photos_of, size, start_broker};
use crate::{say, up};

/// Outboxes keep what they sent for longer, so nothing is lost between the streams' moment and the
/// databases'.
const STREAMS_WITHIN: Duration = Duration::from_mins(9);

/// A broker, ours for the moment or that of the running instance.
struct Source {
    bus: Bus,
    /// Started for the backup.
    own: Option<NatsServer>,
    /// Keeps an instance from starting meanwhile.
    _lock: Option<File>,
}

/// What a backup is made from, and where.
struct Making<'a> {
    settings: &'a Settings,
    keys: &'a Keys,
    /// None if the databases are files.
    postgres: Option<Postgres>,
    draft: &'a Path,
    staging: &'a Staging,
}

/// Makes a backup in a folder of its own below `shelf`.
pub(crate) async fn run(settings: &Settings, shelf: &Path) -> anyhow::Result<()> {
    let postgres = check(settings).await?;
    let data = &settings.data_dir;
    let (keys, clock) = (keys_of(settings)?, Clock::default());
    let staging = Staging::open(data)?;
    let (now, life) = (clock.now(), settings.backup_life.0);
    let draft = Draft::begin(shelf, now)?;
    let making = Making {
        settings,
        keys: &keys,
        postgres,
        draft: &draft.folder,
        staging: &staging,
    };
    let id = clock.random_id().simple().to_string();
    let mut manifest = Manifest::begin((id, keys.newest()), now, life);
    manifest.databases = making.kind();
    let made = Box::pin(making.make(manifest)).await;
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(error) => {
            draft.give_up()?;
            return Err(error.context("no backup was made"));
        }
    };
    let folder = draft.finish()?;
    for old in delete_expired(shelf, &keys, (clock.now(), life))? {
        say(&format!("deleted {}: its life is over", old.display()));
    }
    let until = manifest
        .expires_at
        .to_rfc3339_opts(SecondsFormat::Secs, true);
    say(&format!("backup {} lives until {until}", folder.display()));
    Ok(())
}

/// Whether there is something to back up; how, if it is in PostgreSQL.
async fn check(settings: &Settings) -> anyhow::Result<Option<Postgres>> {
    let postgres = Postgres::of(settings)?;
    let data = &settings.data_dir;
    let is_there = match &postgres {
        Some(postgres) => photos_of(data).exists() && !postgres.is_empty().await?,
        None => data.join("db").exists(),
    };
    ensure!(
        is_there,
        "there is nothing to back up in {}; name the data folder with --data-dir",
        data.display()
    );
    ensure!(
        Mark::of(data).read()?.is_none(),
        "{} was restored itself, and not everybody who was erased since is erased again; start it, and make the backup when it is ready",
        data.display()
    );
    Ok(postgres)
}

impl Making<'_> {
    fn kind(&self) -> Databases {
        match self.postgres {
            Some(_) => Databases::Postgres,
            None => Databases::Sqlite,
        }
    }

    async fn make(&self, mut manifest: Manifest) -> anyhow::Result<Manifest> {
        // First: without it nothing could be restored.
        let ledger = self.settings.ledger(self.keys);
        ledger.read()?;
        let source = Source::open(self.settings).await?;
        let copied = self.copy(&source.bus, &mut manifest).await;
        source.close().await?;
        copied?;
        manifest.ledger = ledger.read()?.head();
        manifest.write(self.draft, self.keys)?;
        File::open(self.draft)?.sync_all()?;
        Ok(manifest)
    }

    async fn copy(&self, bus: &Bus, manifest: &mut Manifest) -> anyhow::Result<()> {
        let began = Instant::now();
        self.streams(bus, manifest).await?;
        let (photos, at) = match &self.postgres {
            Some(postgres) => self.dump(postgres, manifest).await?,
            None => self.copy_files(manifest).await?,
        };
        ensure!(
            at - began < STREAMS_WITHIN,
            "the streams took too long to copy: what was sent meanwhile may be in neither copy; try again when there is less to do, or on a faster disk"
        );
        self.photos(photos, manifest)
    }

    /// Copies the databases' files. Says which photos there were then, and when that was.
    async fn copy_files(&self, manifest: &mut Manifest) -> anyhow::Result<(Vec<PathBuf>, Instant)> {
        let services: Vec<&str> = data_map::services().collect();
        let (into, objects) = (self.staging.folder(), photos_of(&self.settings.data_dir));
        // A photo's files are there before its row is, and nobody knows of those that come later.
        let at_that_moment = || anyhow::Ok((photos_in(&objects)?, Instant::now()));
        let url = self.settings.database()?;
        let moment = snapshot(&url, &services, into, at_that_moment).await?;
        self.databases(&services, manifest)?;
        Ok(moment)
    }

    /// The same of databases in PostgreSQL; photos that came since are unknown to them.
    async fn dump(
        &self,
        postgres: &Postgres,
        manifest: &mut Manifest,
    ) -> anyhow::Result<(Vec<PathBuf>, Instant)> {
        let mut packer = self.packer(manifest, DATABASES)?;
        let at = postgres.dump(&mut packer).await?;
        self.seal(packer, DATABASES, manifest)?;
        Ok((photos_in(&photos_of(&self.settings.data_dir))?, at))
    }

    fn packer(&self, manifest: &Manifest, name: &str) -> anyhow::Result<Packer> {
        let path = self.draft.join(name);
        Packer::create(&path, manifest.key(self.keys)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn seal(&self, packer: Packer, name: &str, manifest: &mut Manifest) -> anyhow::Result<()> {
        packer.finish()?;
        let bytes = manifest.add(self.draft, name)?;
        say(&format!("{name}: {}", size(bytes)));
        Ok(())
    }

    async fn streams(&self, bus: &Bus, manifest: &mut Manifest) -> anyhow::Result<()> {
        let mut packer = self.packer(manifest, STREAMS)?;
        for stream in ALL_STREAMS {
            let copying = async {
                let mut snapshot = bus.snapshot(stream.name).await?;
                packer.begin(stream.name)?;
                packer.add(&serde_json::to_vec(&snapshot.about)?)?;
                while let Some(part) = snapshot.next().await? {
                    packer.add(&part)?;
                }
                packer.end()?;
                anyhow::Ok(())
            };
            let copied = copying.await;
            copied.with_context(|| format!("cannot copy the stream {}", stream.name))?;
        }
        self.seal(packer, STREAMS, manifest)
    }

    fn databases(&self, services: &[&str], manifest: &mut Manifest) -> anyhow::Result<()> {
        let mut packer = self.packer(manifest, DATABASES)?;
        for service in services {
            let mut copy = File::open(self.staging.folder().join(format!("{service}.db")))?;
            packer.file(service, &mut copy)?;
        }
        self.seal(packer, DATABASES, manifest)
    }

    fn photos(&self, photos: Vec<PathBuf>, manifest: &mut Manifest) -> anyhow::Result<()> {
        let folder = photos_of(&self.settings.data_dir);
        let mut packer = self.packer(manifest, PHOTOS)?;
        for photo in photos {
            match File::open(folder.join(&photo)) {
                Ok(mut file) => packer.file(&photo.to_string_lossy(), &mut file)?,
                // It was erased meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).context("cannot read a photo"),
            };
        }
        self.seal(packer, PHOTOS, manifest)
    }
}

/// The photos' files, by their paths in the folder.
fn photos_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut photos = Vec::new();
    let images = std::fs::read_dir(folder);
    for image in images.with_context(|| format!("cannot look into {}", folder.display()))? {
        let image = image?;
        let Ok(files) = std::fs::read_dir(image.path()) else {
            continue;
        };
        for file in files {
            photos.push(PathBuf::from(image.file_name()).join(file?.file_name()));
        }
    }
    Ok(photos)
}

impl Source {
    async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let data = &settings.data_dir;
        let lock = up::lock(data)?;
        let (access, own) = if lock.is_some() {
            let server = start_broker(settings).await?;
            (server.credentials().access("operator"), Some(server))
        } else {
            let file = data.join("nats").join("credentials.json");
            (Credentials::read(&file)?.access("operator"), None)
        };
        let bus = Bus::connect(&access, "operator").await?;
        Ok(Self {
            bus,
            own,
            _lock: lock,
        })
    }

    async fn close(self) -> anyhow::Result<()> {
        self.bus.close().await;
        match self.own {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}
