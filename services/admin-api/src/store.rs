//! All SQL of AdminAPI.

pub(crate) mod decisions;

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

const ADD: &str = "INSERT INTO audit (id, at, admin_id, action, target, reason)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const LIST: &str = "SELECT id, at, action, target, reason FROM audit
    WHERE (at, id) < ($1, $2) AND substr(action, 1, length($4)) = $4
    ORDER BY at DESC, id DESC LIMIT $3";
const FORGET_ADMIN: &str = "UPDATE audit SET admin_id = NULL WHERE admin_id = $1";
const FORGET_TARGET: &str = "UPDATE audit SET target = 'erased' WHERE lower(target) LIKE $1";
const FORGET_REASON: &str = "UPDATE audit SET reason = 'erased' WHERE lower(reason) LIKE $1";
const FORGET_DECISION: &str = "UPDATE decision SET reason = 'erased' WHERE lower(reason) LIKE $1";

/// An audit entry, without who made it: the log is about changes, not about admins.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Entry {
    /// The event's id.
    pub(crate) id: Uuid,
    /// When it was done.
    pub(crate) at: i64,
    /// What was done.
    pub(crate) action: String,
    /// To what.
    pub(crate) target: String,
    /// Why.
    pub(crate) reason: String,
}

/// Keeps an entry; one that is there already stays as it is.
pub(crate) async fn add(
    session: &mut Session,
    admin: Option<UserId>,
    entry: &Entry,
) -> Result<(), DatabaseError> {
    let admin = admin.map(|admin| admin.0);
    sql!(session, c => sqlx::query(ADD)
        .bind(entry.id).bind(entry.at).bind(admin).bind(&entry.action).bind(&entry.target)
        .bind(&entry.reason).execute(c).await.map(drop))?;
    Ok(())
}

/// The newest entries from before a place, of actions that begin in this way.
pub(crate) async fn list(
    session: &mut Session,
    action: &str,
    before: (i64, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(LIST)
        .bind(before.0).bind(before.1).bind(limit).bind(action).fetch_all(c).await)?)
}

/// Takes a person's id out of all entries. Returns how many places that were.
pub(crate) async fn erase(session: &mut Session, user: UserId) -> Result<u64, DatabaseError> {
    let mut rows = sql!(session, c => sqlx::query(FORGET_ADMIN)
        .bind(user.0).execute(c).await.map(|done| done.rows_affected()))?;
    // An id has no characters that LIKE takes for more than themselves.
    let pattern = format!("%{user}%");
    for text in [FORGET_TARGET, FORGET_REASON, FORGET_DECISION] {
        rows += sql!(session, c => sqlx::query(text)
            .bind(&pattern).execute(c).await.map(|done| done.rows_affected()))?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use chassis::clock::Clock;
    use chassis::database::{Database, DatabaseUrl};
    use chassis::keys::PurposeKey;
    use tempfile::TempDir;

    use super::*;
    use crate::audit::user_target;

    async fn database() -> (Database, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().to_owned());
        let key = PurposeKey::random();
        let clock = Clock::default();
        let opened = Database::open(&url, crate::NAME, &crate::MIGRATIONS, clock, key).await;
        (opened.unwrap(), folder)
    }

    fn entry(at: i64, target: &str, reason: &str) -> Entry {
        Entry {
            id: Uuid::new_v4(),
            at,
            action: "user.role".to_owned(),
            target: target.to_owned(),
            reason: reason.to_owned(),
        }
    }

    const NEWEST: (i64, Uuid) = (i64::MAX, Uuid::max());

    #[tokio::test]
    async fn an_entry_is_kept_once_and_the_newest_comes_first() {
        let (database, _folder) = database().await;
        let mut work = database.begin().await.unwrap();
        let entries = [entry(1, "a", "x"), entry(2, "b", "x"), entry(3, "c", "x")];
        for entry in entries.iter().chain(&entries) {
            add(&mut work, None, entry).await.unwrap();
        }
        let first = list(&mut work, "user.", NEWEST, 2).await.unwrap();
        assert_eq!(first, [entries[2].clone(), entries[1].clone()]);
        let rest = list(&mut work, "", (first[1].at, first[1].id), 2).await;
        assert_eq!(rest.unwrap(), entries[..1]);
        let others = list(&mut work, "image.", NEWEST, 2).await;
        assert_eq!(others.unwrap(), []);
    }

    #[tokio::test]
    async fn erasing_leaves_what_was_done_but_not_by_whom_or_to_whom() {
        let (database, _folder) = database().await;
        let mut work = database.begin().await.unwrap();
        let [ada, bob] = [(); 2].map(|()| UserId(Uuid::new_v4()));
        let about = entry(1, &user_target(ada), "Helps.");
        let by = entry(
            2,
            &user_target(bob),
            &format!("Asked by {ada}.").to_uppercase(),
        );
        add(&mut work, Some(bob), &about).await.unwrap();
        add(&mut work, Some(ada), &by).await.unwrap();

        assert_eq!(erase(&mut work, ada).await.unwrap(), 3);
        assert_eq!(erase(&mut work, ada).await.unwrap(), 0);
        let found = list(&mut work, "", NEWEST, 10).await.unwrap();
        assert_eq!(
            (found[1].target.as_str(), found[1].reason.as_str()),
            ("erased", "Helps.")
        );
        assert_eq!(
            (&found[0].target, found[0].reason.as_str()),
            (&by.target, "erased")
        );
    }
}
