//! The picture store: files under one folder, named by random ids.

use std::path::{Path, PathBuf};

use envelope::ImageId;

/// Picture files; cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    folder: PathBuf,
}

impl Objects {
    /// A store in a folder, which is made if it is missing.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        crate::keys::create_private_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn file(&self, image: ImageId, size: u32) -> PathBuf {
        self.folder
            .join(image.to_string())
            .join(format!("{size}.jpg"))
    }

    /// Stores all sizes of a picture durably; after an error nothing of it is left to be served,
    /// since no row names it.
    pub async fn put(&self, image: ImageId, sizes: Vec<(u32, Vec<u8>)>) -> std::io::Result<()> {
        let store = self.clone();
        blocking(move || {
            let folder = store.folder.join(image.to_string());
            std::fs::create_dir_all(&folder)?;
            for (size, bytes) in sizes {
                let path = store.file(image, size);
                std::fs::write(&path, bytes)?;
                std::fs::File::open(&path)?.sync_all()?;
            }
            std::fs::File::open(&folder)?.sync_all()?;
            std::fs::File::open(&store.folder)?.sync_all()
        })
        .await
    }

    /// Writes a part of a picture's file durably, at its place; a repetition changes nothing.
    pub async fn put_part(
        &self,
        image: ImageId,
        size: u32,
        (offset, bytes): (u64, Vec<u8>),
    ) -> std::io::Result<()> {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let store = self.clone();
        blocking(move || {
            let folder = store.folder.join(image.to_string());
            std::fs::create_dir_all(&folder)?;
            let mut options = std::fs::OpenOptions::new();
            options.create(true).truncate(false).write(true);
            let mut file = options.open(store.file(image, size))?;
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::File::open(&folder)?.sync_all()?;
            std::fs::File::open(&store.folder)?.sync_all()
        })
        .await
    }

    /// A picture's bytes in one size; `None` when there is none.
    pub async fn get(&self, image: ImageId, size: u32) -> std::io::Result<Option<Vec<u8>>> {
        match tokio::fs::read(self.file(image, size)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a picture in one size.
    pub async fn has(&self, image: ImageId, size: u32) -> std::io::Result<bool> {
        tokio::fs::try_exists(self.file(image, size)).await
    }

    /// Deletes a picture: overwrites its files, then removes them. None there is no error.
    pub async fn delete(&self, image: ImageId) -> std::io::Result<()> {
        let folder = self.folder.join(image.to_string());
        blocking(move || {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            for entry in entries {
                overwrite(&entry?.path())?;
            }
            std::fs::remove_dir_all(&folder)
        })
        .await
    }
}

/// Writes zeros over a file, so that its old bytes are not left in free space.
pub(crate) fn overwrite(path: &Path) -> std::io::Result<()> {
    use std::io::Read as _;
    let length = std::fs::metadata(path)?.len();
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_picture_is_found_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path()).unwrap();
        let image = ImageId::from(uuid::Uuid::new_v4());
        objects
            .put(image, vec![(400, b"small".to_vec())])
            .await
            .unwrap();
        assert_eq!(objects.get(image, 400).await.unwrap().unwrap(), b"small");
        assert_eq!(objects.get(image, 1024).await.unwrap(), None);
        for part in [
            (3, b"ge".to_vec()),
            (0, b"lar".to_vec()),
            (3, b"ge".to_vec()),
        ] {
            objects.put_part(image, 1024, part).await.unwrap();
        }
        assert_eq!(objects.get(image, 1024).await.unwrap().unwrap(), b"large");
        objects.delete(image).await.unwrap();
        objects.delete(image).await.unwrap();
        assert_eq!(objects.get(image, 400).await.unwrap(), None);
    }
}
