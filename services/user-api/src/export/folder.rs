//! The folder of archives: sealed files, each named by the attempt that wrote it. What no request
//! names is left over, from a process that ended or a request that did, and goes.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use archive::{Document, Packer};
use chassis::keys::{PurposeKey, create_private_folder};
use chassis::lifecycle::Lifecycle;
use chassis::objects::Objects;
use chassis::sealed_file::{SealedReader, SealedWriter, destroy};
use envelope::ImageId;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::App;
use crate::store::exports;

/// The sizes in which photos are kept, the largest first.
const SIZES: [u32; 3] = [2048, 1024, 400];

/// Where archives lie; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// What an archive is written from.
pub(crate) struct Source {
    pub document: Document,
    pub objects: Objects,
    pub lifecycle: Lifecycle,
}

impl Folder {
    /// The folder in the data folder; it is made if it is missing.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join("exports");
        create_private_folder(&folder)?;
        Ok(Self(folder))
    }

    fn file(&self, attempt: Uuid) -> PathBuf {
        self.0.join(attempt.to_string())
    }

    /// Begins to read an archive.
    pub(crate) async fn read(&self, attempt: Uuid, key: PurposeKey) -> io::Result<SealedReader> {
        let path = self.file(attempt);
        spawn_blocking(move || SealedReader::open(&path, key)).await?
    }

    /// Writes an archive; says how large it is.
    pub(crate) async fn write(
        &self,
        attempt: Uuid,
        key: PurposeKey,
        source: Source,
    ) -> anyhow::Result<u64> {
        let (path, handle) = (self.file(attempt), Handle::current());
        spawn_blocking(move || write(&path, key, &source, &handle)).await?
    }

    /// Removes the files that no request names.
    pub(crate) async fn sweep(&self, app: &App) -> anyhow::Result<()> {
        // In this order: a file is made after its attempt was noted.
        let folder = self.0.clone();
        let files = spawn_blocking(move || files(&folder)).await??;
        if files.is_empty() {
            return Ok(());
        }
        let wanted = exports::attempts(&mut app.database.read().await?).await?;
        let wanted: HashSet<PathBuf> = wanted.into_iter().map(|one| self.file(one)).collect();
        let left_over = files.into_iter().filter(|file| !wanted.contains(file));
        for file in left_over.collect::<Vec<_>>() {
            spawn_blocking(move || destroy(&file)).await??;
        }
        Ok(())
    }
}

/// A photo's sizes, and the names of their files in the archive.
pub(crate) fn photo_files(image: ImageId) -> [(u32, String); 3] {
    SIZES.map(|size| (size, format!("images/{image}/{size}.jpg")))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn write(path: &Path, key: PurposeKey, source: &Source, handle: &Handle) -> anyhow::Result<u64> {
    let file = SealedWriter::create(path, key).context("cannot make the archive's file")?;
    let mut packer = Packer::begin(file, &source.document)?;
    for photo in &source.document.photos {
        for (size, name) in photo_files(ImageId(photo.id)) {
            anyhow::ensure!(!source.lifecycle.is_stopping(), "the process is stopping");
            if !photo.files.contains(&name) {
                continue;
            }
            let bytes = handle.block_on(source.objects.get(ImageId(photo.id), size))?;
            let bytes = bytes.context("a photo went while the archive was written")?;
            packer.photo(&name, &bytes)?;
        }
    }
    Ok(packer.finish()?.finish()?)
}
