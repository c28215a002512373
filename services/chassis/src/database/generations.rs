//! Another generation of a service's database beside the live one, and how it takes its place. In
//! PostgreSQL the live one is the schema named after the service, in SQLite the file that the
//! pointer `<service>.current` names, or `<service>.db` while there is none.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::pools::{Place, Pools, open_sqlite_pair, schema_of, sqlite_stem};
use super::{Database, DatabaseError, DatabaseUrl, Session};
use crate::keys::write_private;
use crate::objects::{blocking, overwrite};
use crate::sql;
use crate::unit_of_work::Work;

const SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const TABLES_OF_SCHEMA: &str =
    "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY tablename";

/// A generation that is being built beside the live one.
#[derive(Debug)]
pub(crate) struct Beside {
    /// For those who build it.
    pub database: Database,
    /// Sees both generations.
    both: Pools,
    place: Place,
    /// What the names of the live one's tables begin with, where both are seen.
    pub live: String,
    /// What the names of our own tables begin with; they may be left out.
    pub own: String,
}

impl Database {
    /// Makes another generation with the same tables, all of them empty.
    pub(crate) async fn open_beside(&self) -> Result<Beside, DatabaseError> {
        self.remove_leftovers().await?;
        let (origin, service) = (&self.origin, self.service);
        let live = schema_of(service);
        let generation = current_generation(&origin.url, service)?;
        let (place, own) = match origin.url.place(service, generation + 1) {
            Place::Postgres { address, schema } => {
                let own = format!("{schema}_next");
                let schema = own.clone();
                (Place::Postgres { address, schema }, own)
            }
            file @ Place::Sqlite(_) => (file, "main".to_owned()),
        };
        let pools = place.open(service).await?;
        origin.migrate(&pools, service).await?;
        let both = match (&place, origin.url.place(service, generation)) {
            (Place::Sqlite(file), Place::Sqlite(other)) => {
                open_sqlite_pair(file, &other, &live).await?
            }
            _ => pools.clone(),
        };
        Ok(Beside {
            database: self.with_pools(pools),
            both,
            place,
            live,
            own,
        })
    }

    /// Removes whatever generations there are but the live one. Only the holder of the lease may:
    /// nobody else builds one.
    pub(crate) async fn remove_leftovers(&self) -> Result<(), DatabaseError> {
        let (url, service) = (&self.origin.url, self.service);
        if let DatabaseUrl::Sqlite(place) = url {
            let live = current_generation(url, service)?;
            let (folder, stem) = sqlite_stem(place, service);
            let removing = blocking(move || remove_all_but(live, &folder, &stem));
            return Ok(removing.await.map_err(sqlx::Error::Io)?);
        }
        for ending in ["next", "old"] {
            let schema = format!("{}_{ending}", schema_of(service));
            self.execute(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
                .await?;
        }
        Ok(())
    }

    /// Removes leftovers, if that works now; whoever builds the next generation tries again.
    async fn clear_up(&self) {
        if let Err(error) = self.remove_leftovers().await {
            tracing::warn!(service = self.service, %error, "an old generation is not removed yet");
        }
    }

    /// Runs a statement of our own making.
    async fn execute(&self, statement: String) -> Result<(), DatabaseError> {
        let mut work = self.begin().await?;
        execute(&mut work, statement).await?;
        work.commit().await
    }

    /// Exchanges the connections; answers the old ones.
    fn exchange(&self, pools: Pools) -> Pools {
        let mut current = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, pools)
    }
}

impl Beside {
    /// Begins a change of ours that sees the live generation too, both as they are at one moment.
    pub async fn begin(&self) -> Result<Work, DatabaseError> {
        let session = match &self.both {
            // Only what is written is locked: not the live generation.
            Pools::Sqlite { write, .. } => Session::Sqlite(write.begin().await?),
            Pools::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query(SNAPSHOT).execute(&mut *transaction).await?;
                Session::Postgres(transaction)
            }
        };
        Ok(Work::new(session, self.database.clone()))
    }

    /// Keeps all others from changing the live generation until `work`, which has not read yet,
    /// and what is answered end.
    pub async fn hold_live(
        &self,
        work: &mut Work,
        live: &Database,
    ) -> Result<Option<Work>, DatabaseError> {
        let Session::Postgres(transaction) = &mut **work else {
            return live.begin().await.map(Some);
        };
        let tables: Vec<String> = sqlx::query_scalar(TABLES_OF_SCHEMA)
            .bind(&self.live)
            .fetch_all(live.postgres().as_ref().ok_or(sqlx::Error::PoolClosed)?)
            .await?;
        let names: Vec<String> = tables
            .iter()
            .map(|table| format!("{}.{table}", self.live))
            .collect();
        let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", "));
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
            .execute(&mut **transaction)
            .await?;
        Ok(None)
    }

    /// Commits the last change of ours and puts us in the live generation's place: whoever asks
    /// `live` from then on gets us. `held` is what [`Beside::hold_live`] answered.
    pub async fn take_over(
        self,
        live: &Database,
        mut work: Work,
        held: Option<Work>,
    ) -> Result<(), DatabaseError> {
        let Place::Sqlite(file) = &self.place else {
            let (now, next) = (&self.live, &self.own);
            for (from, to) in [(now, format!("{now}_old")), (next, now.clone())] {
                execute(&mut work, format!("ALTER SCHEMA {from} RENAME TO {to}")).await?;
            }
            work.commit().await?;
            self.close().await;
            live.clear_up().await;
            return Ok(());
        };
        work.commit().await?;
        self.close().await;
        let fresh = self.place.open(live.service).await?;
        if let Err(error) = point_to(file, live).await {
            // It is not known what the pointer says: nothing may be written any more, nowhere.
            live.close().await;
            return Err(sqlx::Error::Io(error).into());
        }
        let old = live.exchange(fresh);
        // Whoever waits to write turns to the new one, before the old one could let them in.
        let closing = old.close();
        drop(held);
        closing.await;
        live.clear_up().await;
        Ok(())
    }

    /// Gives it up.
    pub async fn remove(self, live: &Database) {
        self.close().await;
        live.clear_up().await;
    }

    async fn close(&self) {
        self.both.close().await;
        self.database.close().await;
    }
}

async fn execute(work: &mut Work, statement: String) -> Result<(), DatabaseError> {
    let statement = sqlx::AssertSqlSafe(statement);
    sql!(work, c => sqlx::query(statement).execute(c).await.map(drop))?;
    Ok(())
}

/// The number of the live generation.
pub(super) fn current_generation(url: &DatabaseUrl, service: &str) -> Result<u64, DatabaseError> {
    let DatabaseUrl::Sqlite(place) = url else {
        return Ok(0);
    };
    let pointer = pointer(place, service);
    let wrong = |why: &str| DatabaseError::Unreachable {
        place: pointer.display().to_string(),
        why: why.to_owned(),
    };
    let number: u64 = match std::fs::read_to_string(&pointer) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| wrong("it holds no number"))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(wrong(&error.kind().to_string())),
    };
    match url.place(service, number) {
        Place::Sqlite(file) if !file.exists() => Err(wrong("the file that it names is not there")),
        _ => Ok(number),
    }
}

fn pointer(place: &Path, service: &str) -> PathBuf {
    let (folder, stem) = sqlite_stem(place, service);
    folder.join(format!("{stem}.current"))
}

/// Makes a file the live generation, durably: before or after a crash one of the two is.
async fn point_to(file: &Path, live: &Database) -> std::io::Result<()> {
    let DatabaseUrl::Sqlite(place) = &live.origin.url else {
        return Ok(());
    };
    let (folder, stem) = sqlite_stem(place, live.service);
    let pointer = pointer(place, live.service);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let number = generation_of(&name, &stem).unwrap_or_default();
    blocking(move || {
        let new = pointer.with_extension("current.new");
        write_private(&new, &format!("{number}\n")).map_err(std::io::Error::other)?;
        std::fs::rename(&new, &pointer)?;
        std::fs::File::open(folder)?.sync_all()
    })
    .await
}

/// Which generation a file belongs to: `statistics.3.db-wal` is of the third.
fn generation_of(name: &str, stem: &str) -> Option<u64> {
    let rest = name.strip_prefix(stem)?.strip_prefix('.')?;
    let rest = ["-wal", "-shm"]
        .iter()
        .find_map(|ending| rest.strip_suffix(ending))
        .unwrap_or(rest);
    match rest.strip_suffix("db")? {
        "" => Some(0),
        number => number.strip_suffix('.')?.parse().ok(),
    }
}

/// The files of all generations, and the pointer to the live one.
pub(super) fn files_of(place: &Path, service: &str) -> std::io::Result<Vec<PathBuf>> {
    let (folder, stem) = sqlite_stem(place, service);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if generation_of(&entry.file_name().to_string_lossy(), &stem).is_some() {
            files.push(entry.path());
        }
    }
    let pointer = pointer(place, service);
    if pointer.exists() {
        files.push(pointer);
    }
    Ok(files)
}

/// Overwrites and removes the files of all generations but one.
fn remove_all_but(live: u64, folder: &Path, stem: &str) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let of = generation_of(&entry.file_name().to_string_lossy(), stem);
        if of.is_some_and(|generation| generation != live) {
            let removed =
                overwrite(&entry.path()).and_then(|()| std::fs::remove_file(entry.path()));
            // SQLite removes its log by itself when the last connection ends.
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_one_generation_of_one_service() {
        let of = |name| generation_of(name, "tick-api");
        assert_eq!(of("tick-api.db"), Some(0));
        assert_eq!(of("tick-api.db-wal"), Some(0));
        assert_eq!(of("tick-api.12.db-shm"), Some(12));
        for other in [
            "tick-api.current",
            "tick-api.x.db",
            "auth-api.db",
            "tick-api-2.db",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
