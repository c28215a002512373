//! Who was ever seen.

use std::collections::BTreeSet;

use chassis::database::{DatabaseError, Session, Sql};
use envelope::UserId;

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO person (user_id, source)
             SELECT unhex(value->>0), value->>1 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO person (user_id, source)
               SELECT (value->>0)::uuid, value->>1 FROM jsonb_array_elements($1::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};

/// Where somebody was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// They ticked.
    Tick,
    /// They rated.
    Rate,
    /// They registered or logged in.
    User,
}

/// Somebody was seen.
pub(crate) async fn insert(
    session: &mut Session,
    users: impl Iterator<Item = UserId>,
    source: Source,
) -> Result<(), DatabaseError> {
    let source = match source {
        Source::Tick => "tick",
        Source::Rate => "rate",
        Source::User => "user",
    };
    let users: BTreeSet<_> = users.map(|user| user.0).collect();
    let rows = users.iter().map(|user| (user.simple(), source));
    session.write_rows(INSERT, rows.collect()).await
}
