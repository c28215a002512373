//! What SQLite leaves of deleted rows. It overwrites what it frees (`secure_delete`); but when it spreads the
//! rows of a page over its neighbours, it leaves their former copies in the part of the page that is then
//! unused, and does not know of them any more when the rows are deleted. So where somebody is found
//! in a database file although all about them was deleted, the unused parts of all pages are overwritten, some pages at a
//! time, through SQLite itself: others write between them, and a crash leaves each page as it was or clean.

use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::rpc::{Answers, BoundAnswers, CommonQuestion, Refusal};

/// Overwrite what deleted rows have left in the database, soon. Answered by every service with a database.
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
    use crate::unit_of_work::Work;

    static NO_TABLES: Migrator = Migrator::DEFAULT;
    /// Names in an order of their own, so that pages are divided and joined all the time.
    const BIRDS: [&str; 5] = [
        "CREATE TABLE bird (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE INDEX bird_name ON bird (name)",
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
         INSERT INTO bird SELECT n, printf('%05d-', n * 7919 % 10007) || iif(n % 3, 'warbler', 'sparrow') FROM number",
        // Longer than a page.
        "UPDATE bird SET name = name || hex(zeroblob(4000)) WHERE id % 50 = 0",
        "DELETE FROM bird WHERE name LIKE '%-warbler%'",
    ];
    const ALL: &str = "SELECT group_concat(id || name ORDER BY id) FROM bird";

    fn warblers_in(file: &Path) -> usize {
        let bytes = std::fs::read(file).unwrap();
        let found = bytes.windows(7).filter(|window| window == b"warbler");
        found.count()
    }

    async fn empty_log(database: &Database) {
        while !database.scrub().await.unwrap() {}
    }

    async fn open(folder: &Path) -> Database {
        let url = DatabaseUrl::Sqlite(folder.to_owned());
        let fence = PurposeKey::random();
        let opened = Database::open(&url, "statistics", &NO_TABLES, Clock::default(), fence);
        opened.await.unwrap()
    }

    async fn execute(work: &mut Work, text: &'static str) {
        sql!(work, c => sqlx::query(text).execute(c).await.map(drop)).unwrap();
    }

    async fn change(database: &Database, texts: &[&'static str]) {
        let mut work = database.begin().await.unwrap();
        for text in texts {
            execute(&mut work, text).await;
        }
        work.commit().await.unwrap();
    }

    async fn ask(database: &Database, text: &'static str) -> String {
        let mut session = database.read().await.unwrap();
        sql!(session, c => sqlx::query_scalar(text).fetch_one(c).await).unwrap()
    }

    #[tokio::test]
    async fn what_moved_rows_have_left_is_overwritten_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let database = open(folder.path()).await;
        change(&database, &BIRDS).await;
        empty_log(&database).await;
        let file = folder.path().join("statistics.db");
        assert!(warblers_in(&file) > 0, "SQLite leaves nothing any more");
        let before = ask(&database, ALL).await;

        assert!(database.overwrite_leftovers().await.unwrap() > 0);
        empty_log(&database).await;
        assert_eq!(warblers_in(&file), 0);
        assert_eq!(ask(&database, ALL).await, before);
        assert_eq!(ask(&database, "PRAGMA integrity_check").await, "ok");
        assert_eq!(database.overwrite_leftovers().await.unwrap(), 0);
        database.close().await;
    }

    #[tokio::test]
    async fn others_write_while_leftovers_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let database = open(folder.path()).await;
        change(&database, &BIRDS).await;
        let overwriting = tokio::spawn({
            let database = database.clone();
            async move { database.overwrite_leftovers().await }
        });
        let mut written = 0;
        while !overwriting.is_finished() {
            let wren = "INSERT INTO bird (name) SELECT printf('%05d-wren', abs(random()) % 10007)";
            change(&database, &[wren; 20]).await;
            written += 20;
        }
        assert!(overwriting.await.unwrap().unwrap() > 0);
        empty_log(&database).await;
        assert_eq!(warblers_in(&folder.path().join("statistics.db")), 0);
        let wrens = "SELECT CAST(count(*) AS TEXT) FROM bird WHERE name LIKE '%-wren'";
        assert_eq!(ask(&database, wrens).await, written.to_string());
        assert_eq!(ask(&database, "PRAGMA integrity_check").await, "ok");
        database.close().await;
    }
}
