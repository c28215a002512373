//! All SQL of the service. Rows in, rows out; it knows no handler.
//!
//! What a whole group of requests needs is read and written in one statement each: the ids or rows travel as one JSON
//! text, since a statement costs more than a row.

pub(crate) mod erasure;
pub(crate) mod images;
pub(crate) mod lists;
pub(crate) mod ratings;
pub(crate) mod ticks;
pub(crate) mod uploads;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A place in a list that is read from its greatest key to its least: after this row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cursor<K> {
    /// What the list is ordered by.
    pub key: K,
    /// Rows of one key are ordered by their id.
    pub id: Uuid,
}

impl<K> Cursor<K> {
    /// The place before all rows, given a key that none exceeds.
    pub(crate) fn before_all(greatest: K) -> Self {
        Self {
            key: greatest,
            id: Uuid::max(),
        }
    }
}

impl<K: fmt::Display> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.key, self.id.simple())
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotACursor;

impl<K: FromStr> FromStr for Cursor<K> {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (key, id) = text.rsplit_once('_').ok_or(NotACursor)?;
        Ok(Self {
            key: key.parse().map_err(|_| NotACursor)?,
            id: Uuid::try_parse(id).map_err(|_| NotACursor)?,
        })
    }
}

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
    use tempfile::TempDir;

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
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn a_cursor_reads_back_as_the_place_it_names() {
        let id = Uuid::from_u128(7);
        for key in [0.1 + 0.2, 3.0, f64::MAX] {
            let cursor = Cursor { key, id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let day = NaiveDate::from_ymd_opt(2026, 5, 3).unwrap();
        let cursor = Cursor { key: day, id };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in [
            "",
            "_",
            "1",
            "1_",
            "_1",
            "x_00000000000000000000000000000001",
            "1_2",
        ] {
            assert_eq!(text.parse::<Cursor<i64>>(), Err(NotACursor), "{text}");
        }
    }
}
