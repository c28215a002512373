//! All SQL of the service: writing what events say, counting it, deleting it.

pub(crate) mod cells;
pub(crate) mod day;
pub(crate) mod erasure;
pub(crate) mod facts;
pub(crate) mod figures;
pub(crate) mod held;
pub(crate) mod limits;
pub(crate) mod people;
pub(crate) mod ratings;
pub(crate) mod retention;
pub(crate) mod scores;
pub(crate) mod series;
#[cfg(test)]
mod tests;
pub(crate) mod ticks;

use chassis::consumers::handled;
use chassis::database::{Database, DatabaseError};

/// Stands for the state that figures are counted from.
pub(crate) async fn mark(database: &Database) -> Result<i64, DatabaseError> {
    let mut session = database.read().await?;
    handled(&mut session, database.service()).await
}

/// What a rebuild cannot read in the streams any more: sealed days, what cells go on to show, and who was last seen in the
/// stream of accounts, or wanted to be in no figure, longer ago than it reaches. Nobody erased is among those.
pub(crate) const CARRIED: &[&str] = &[
    "DELETE FROM sealed",
    "INSERT INTO sealed (kind, day, events, people_at_least)
        SELECT kind, day, events, people_at_least FROM statistics.sealed",
    "DELETE FROM retired",
    "INSERT INTO retired (kind, n) SELECT kind, n FROM statistics.retired",
    "DELETE FROM held",
    "INSERT INTO held (figure, cell, k, shown, since)
        SELECT figure, cell, k, shown, since FROM statistics.held",
    // Of days that were sealed after they were read.
    "DELETE FROM fact WHERE EXISTS (SELECT 1 FROM sealed
        WHERE sealed.kind = fact.kind AND sealed.day >= fact.at / 86400000000)",
    "INSERT INTO person (user_id, source)
        SELECT user_id, source FROM statistics.person WHERE source = 'user' ON CONFLICT DO NOTHING",
    "INSERT INTO limited (user_id, stands, unscored, changed_at)
        SELECT user_id, stands, unscored, changed_at FROM statistics.limited WHERE true
        ON CONFLICT (user_id) DO UPDATE SET stands = excluded.stands, unscored = excluded.unscored,
            changed_at = excluded.changed_at
        WHERE excluded.changed_at > limited.changed_at",
];
