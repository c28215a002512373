//! The fence: who was erased here stays erased. It holds keyed hashes only, and is asked in the
//! same transaction as the write that it guards.

use std::collections::HashSet;

use uuid::Uuid;

use crate::database::{Database, DatabaseError, Dialect, Session, Sql, json_text};
use crate::sql;
use crate::unit_of_work::Work;

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO erased (person, erased_at) SELECT value, $2 FROM json_each($1) WHERE true
             ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO erased (person, erased_at)
               SELECT value, $2 FROM jsonb_array_elements_text($1::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};
// CROSS JOIN keeps SQLite to this order: it looks each of them up, and sorts nobody.
const FIND: Sql = Sql {
    sqlite: "SELECT person FROM json_each($1) AS given CROSS JOIN erased ON person = given.value",
    postgres:
        "SELECT person FROM erased
               WHERE person IN (SELECT value FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
// In PostgreSQL writers run side by side: a write holds its people's locks shared until it ends,
// an erasure holds them alone, so neither can slip past the other. SQLite has one writer.
// Locks are taken in one order, so that two writers never wait for each other. The server has room
// for a few thousand locks at once, so people share 256 of them.
const LOCK_SHARED: &str = "SELECT count(pg_advisory_xact_lock_shared(lock)) FROM (
    SELECT DISTINCT hashtextextended(value, 0) & 255 AS lock
    FROM jsonb_array_elements_text($1::jsonb) AS v(value) ORDER BY lock) AS locks";
const LOCK_ALONE: &str = "SELECT count(pg_advisory_xact_lock(lock)) FROM (
    SELECT DISTINCT hashtextextended(value, 0) & 255 AS lock
    FROM jsonb_array_elements_text($1::jsonb) AS v(value) ORDER BY lock) AS locks";

impl Work {
    /// Fences people (or their images) off: from this commit on no write or effect that names
    /// them is made here.
    pub async fn fence(&mut self, people: &[Uuid]) -> Result<(), DatabaseError> {
        let hashes = self.hashes(people);
        self.insert(&list_of(&hashes)?).await
    }

    /// Fences off those whose keyed hashes these are, whoever they may be.
    pub async fn fence_hashes(&mut self, hashes: &[String]) -> Result<(), DatabaseError> {
        self.insert(&json_text(&hashes)?).await
    }

    async fn insert(&mut self, list: &str) -> Result<(), DatabaseError> {
        self.erases();
        let now = self.clock().micros();
        if self.dialect() == Dialect::Postgres {
            sql!(self, c => sqlx::query(LOCK_ALONE).bind(list).execute(c).await.map(drop))?;
        }
        let insert = INSERT.text(self.dialect());
        sql!(self, c => sqlx::query(insert).bind(list).bind(now).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Which of these people (or images) were erased here.
    pub async fn erased_among(&mut self, people: &[Uuid]) -> Result<HashSet<Uuid>, DatabaseError> {
        if people.is_empty() {
            return Ok(HashSet::new());
        }
        let hashes = self.hashes(people);
        let list = list_of(&hashes)?;
        if self.dialect() == Dialect::Postgres {
            sql!(self, c => sqlx::query(LOCK_SHARED).bind(&list).execute(c).await.map(drop))?;
        }
        let found = find(self, &list).await?;
        Ok(hashes
            .into_iter()
            .filter(|(hash, _)| found.contains(hash))
            .map(|(_, id)| id)
            .collect())
    }

    /// Whether this person (or image) was erased here.
    pub async fn is_erased(&mut self, person: Uuid) -> Result<bool, DatabaseError> {
        Ok(!self.erased_among(&[person]).await?.is_empty())
    }

    fn hashes(&self, people: &[Uuid]) -> Vec<(String, Uuid)> {
        let key = &self.database().fence_key;
        people
            .iter()
            .map(|id| (key.hash(id.as_bytes()), *id))
            .collect()
    }
}

impl Database {
    /// Whether this person (or image) was erased here, as far as is committed now: for answers,
    /// not for writes, which ask in their own transaction.
    pub async fn is_erased(&self, person: Uuid) -> Result<bool, DatabaseError> {
        let hash = self.fence_key.hash(person.as_bytes());
        let list = json_text(&[hash])?;
        Ok(!find(&mut self.read().await?, &list).await?.is_empty())
    }
}

async fn find(session: &mut Session, list: &str) -> Result<HashSet<String>, DatabaseError> {
    let text = FIND.text(session.dialect());
    let found: Vec<String> =
        sql!(session, c => sqlx::query_scalar(text).bind(list).fetch_all(c).await)?;
    Ok(found.into_iter().collect())
}

fn list_of(hashes: &[(String, Uuid)]) -> Result<String, DatabaseError> {
    let hashes: Vec<&str> = hashes.iter().map(|(hash, _)| hash.as_str()).collect();
    json_text(&hashes)
}
