//! All SQL of the service. Rows in, rows out; it knows no handler.
//!
//! What a whole group of requests needs is read and written in one statement each: the ids or rows travel as one JSON
//! text, since a statement costs more than a row.

pub(crate) mod erasure;
pub(crate) mod images;
pub(crate) mod imports;
pub(crate) mod limits;
pub(crate) mod lists;
pub(crate) mod moderation;
pub(crate) mod places;
pub(crate) mod ratings;
pub(crate) mod ticks;
pub(crate) mod uploads;

use uuid::Uuid;

/// Ids as one JSON text, each as 32 hexadecimal digits, which both databases read.
fn id_list(ids: impl IntoIterator<Item = Uuid>) -> String {
    let ids = ids.into_iter().map(|id| id.simple().to_string());
    ids.collect::<serde_json::Value>().to_string()
}

#[cfg(test)]
pub(crate) mod testing {
    //! A real database in a folder of its own.

    use chassis::clock::Clock;
    use chassis::database::{Database, DatabaseUrl};
    use chassis::keys::Keys;
    use envelope::{ImageId, UserId};
    use tempfile::TempDir;

    use super::images::{self, NewImage};

    /// A fresh SQLite database; it lives as long as the folder does.
    pub(crate) async fn database() -> (TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().to_owned());
        let fence = Keys::from_secret("0123456789abcdef0123456789abcdef")
            .unwrap()
            .purpose("fence");
        let database = Database::open(
            &url,
            crate::NAME,
            &crate::MIGRATIONS,
            Clock::default(),
            fence,
        );
        (folder, database.await.unwrap())
    }

    /// The same with somebody's picture.
    pub(crate) async fn with_image(owner: UserId, id: ImageId) -> (TempDir, Database) {
        let (folder, database) = database().await;
        let mut work = database.begin().await.unwrap();
        let image = NewImage {
            id,
            owner,
            width: 2048,
            height: 1365,
            bytes: 1000,
            content_hash: id.0.to_string(),
        };
        images::insert(&mut work, &image, 1).await.unwrap();
        work.commit().await.unwrap();
        (folder, database)
    }
}
