//! Scores, mails and log-ins: what happened once and is never taken back.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{EventId, ImageId, UserId};
use serde_json::json;

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO fact (event_id, kind, user_id, image_id, at)
             SELECT unhex(value->>0), value->>1, unhex(value->>2), unhex(value->>3), value->>4
             FROM json_each($1) WHERE true ON CONFLICT (event_id) DO NOTHING",
    postgres: "INSERT INTO fact (event_id, kind, user_id, image_id, at)
               SELECT (value->>0)::uuid, value->>1, (value->>2)::uuid, (value->>3)::uuid, (value->>4)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value) ON CONFLICT (event_id) DO NOTHING",
};
const RETIRE: &str = "DELETE FROM fact WHERE kind = $1 AND at < $2";
const COUNT_RETIRED: &str = "INSERT INTO retired (kind, n) VALUES ($1, $2)
    ON CONFLICT (kind) DO UPDATE SET n = retired.n + excluded.n";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ScoreModel scored an image.
    Score,
    /// A mail about ratings was sent.
    Notification,
    /// Somebody logged in.
    Login,
}

impl Kind {
    /// As it is written in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Notification => "notification",
            Self::Login => "login",
        }
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact {
    /// The event that says so.
    pub(crate) event: EventId,
    /// What.
    pub(crate) kind: Kind,
    /// To whom, or by whom.
    pub(crate) user: Option<UserId>,
    /// With which image.
    pub(crate) image: Option<ImageId>,
    /// When.
    pub(crate) at: i64,
}

/// Keeps facts, each once.
pub(crate) async fn insert(
    session: &mut Session,
    facts: impl Iterator<Item = Fact>,
) -> Result<(), DatabaseError> {
    let rows = facts.map(|fact| {
        let user = fact.user.map(|user| user.0.simple());
        let image = fact.image.map(|image| image.0.simple());
        json!([
            fact.event.0.simple(),
            fact.kind.as_str(),
            user,
            image,
            fact.at
        ])
    });
    session.write_rows(INSERT, rows.collect()).await
}

/// Deletes the log-ins before a time and keeps only how many there were. Says how many went.
pub(crate) async fn retire_logins(
    session: &mut Session,
    before: i64,
) -> Result<u64, DatabaseError> {
    let login = Kind::Login.as_str();
    let gone = sql!(session, c => sqlx::query(RETIRE).bind(login).bind(before)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if gone > 0 {
        let n = i64::try_from(gone).unwrap_or(i64::MAX);
        sql!(session, c => sqlx::query(COUNT_RETIRED).bind(login).bind(n).execute(c).await.map(drop))?;
    }
    Ok(gone)
}
