//! What SQLite leaves of deleted rows. It overwrites what it frees (`secure_delete`); but when it spreads the
//! rows of a page over its neighbours, it leaves their former copies in the part of the page that is then
//! unused, and does not know of them any more when the rows are deleted. So where somebody is found
//! in a database file although all about them was deleted, it is written anew: that takes as long as reading
//! and writing the whole file, and nobody else writes meanwhile.

use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};

/// Write the database anew, soon. Answered by every service with a database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WriteAnew {}

impl CommonQuestion for WriteAnew {
    const NAME: &'static str = "write-anew";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = ();
}

/// The table of what every service with a database answers about leftovers.
pub(crate) fn answers(database: &Database) -> BoundAnswers {
    Answers::new()
        .on_common(database.service(), write_anew)
        .with_state(database.clone())
}

async fn write_anew(database: Database, _: WriteAnew) -> Result<(), Refusal> {
    // It may take longer than a question may.
    database.leftovers.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::migrate::Migrator;

    use super::*;
    use crate::clock::Clock;
    use crate::database::DatabaseUrl;
    use crate::keys::PurposeKey;
    use crate::sql;

    static NO_TABLES: Migrator = Migrator::DEFAULT;
    /// Names in an order of their own, so that pages are divided and joined all the time.
    const BIRDS: [&str; 4] = [
        "CREATE TABLE bird (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE INDEX bird_name ON bird (name)",
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
         INSERT INTO bird SELECT n, printf('%05d-', n * 7919 % 10007) || iif(n % 3, 'warbler', 'sparrow') FROM number",
        "DELETE FROM bird WHERE name LIKE '%-warbler'",
    ];

    fn warblers_in(file: &Path) -> usize {
        let bytes = std::fs::read(file).unwrap();
        let found = bytes.windows(7).filter(|window| window == b"warbler");
        found.count()
    }

    async fn empty_log(database: &Database) {
        while !database.scrub().await.unwrap() {}
    }

    #[tokio::test]
    async fn what_moved_rows_have_left_goes_when_the_file_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().to_owned());
        let fence = PurposeKey::random();
        let opened = Database::open(&url, "statistics", &NO_TABLES, Clock::default(), fence);
        let database = opened.await.unwrap();
        let mut work = database.begin().await.unwrap();
        for text in BIRDS {
            sql!(work, c => sqlx::query(text).execute(c).await.map(drop)).unwrap();
        }
        work.commit().await.unwrap();
        empty_log(&database).await;
        let file = folder.path().join("statistics.db");
        assert!(warblers_in(&file) > 0, "SQLite leaves nothing any more");

        database.write_anew().await.unwrap();
        empty_log(&database).await;
        assert_eq!(warblers_in(&file), 0);
        database.close().await;
    }
}
