//! Scores, mails and log-ins: what happened once and is never taken back.

use std::collections::HashSet;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{EventId, ImageId, UserId};
use uuid::Uuid;

use super::limits;
use crate::audience::Audience;
use crate::period::DAY_MICROS;

// A sealed day takes nothing: what comes late, or once more, changes no figure. A day has
// 86,400,000,000 microseconds.
const INSERT: Sql = Sql {
    sqlite: "INSERT INTO fact (event_id, kind, user_id, image_id, at)
             SELECT unhex(value->>0), value->>1, unhex(value->>2), unhex(value->>3), value->>4
             FROM json_each($1) WHERE NOT EXISTS (SELECT 1 FROM sealed
                WHERE sealed.kind = value->>1 AND sealed.day >= (value->>4) / 86400000000)
             ON CONFLICT (event_id) DO NOTHING",
    postgres: "INSERT INTO fact (event_id, kind, user_id, image_id, at)
               SELECT (value->>0)::uuid, value->>1, (value->>2)::uuid, (value->>3)::uuid, (value->>4)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value) WHERE NOT EXISTS (SELECT 1 FROM sealed
                  WHERE sealed.kind = value->>1 AND sealed.day >= (value->>4)::bigint / 86400000000)
               ON CONFLICT (event_id) DO NOTHING",
};
const OLDEST: &str = "SELECT MIN(at) FROM fact WHERE kind = $1";
const TAKE: &str = "DELETE FROM fact WHERE kind = $1 AND at < $2 RETURNING user_id";
const SEAL: &str = "INSERT INTO sealed (kind, day, events, people_at_least) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const COUNT_RETIRED: &str = "INSERT INTO retired (kind, n) VALUES ($1, $2)
    ON CONFLICT (kind) DO UPDATE SET n = retired.n + excluded.n";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        (
            fact.event.0.simple(),
            fact.kind.as_str(),
            user,
            image,
            fact.at,
        )
    });
    session.write_rows(INSERT, rows.collect()).await
}

/// Seals the oldest day of a kind, if it is before another: its facts go, how many there were stays.
/// Of a day with too few people for every audience it is not kept which day it was, and of those who are in no figure
/// nothing. Says how many facts went.
pub(crate) async fn seal_oldest(
    session: &mut Session,
    kind: Kind,
    before: i64,
) -> Result<Option<usize>, DatabaseError> {
    let kind = kind.as_str();
    let oldest: Option<i64> =
        sql!(session, c => sqlx::query_scalar(OLDEST).bind(kind).fetch_one(c).await)?;
    let day = oldest.map(|at| at.div_euclid(DAY_MICROS));
    let Some(day) = day.filter(|day| *day < before) else {
        return Ok(None);
    };
    let end = (day + 1).saturating_mul(DAY_MICROS);
    let gone: Vec<Option<Uuid>> =
        sql!(session, c => sqlx::query_scalar(TAKE).bind(kind).bind(end).fetch_all(c).await)?;
    let left_out = limits::left_out(session).await?;
    let counted = gone
        .iter()
        .filter(|user| user.is_none_or(|user| !left_out.contains(&user)));
    let events = i64::try_from(counted.clone().count()).unwrap_or(i64::MAX);
    let people: HashSet<Uuid> = counted.flatten().copied().collect();
    let people = i64::try_from(people.len()).unwrap_or(i64::MAX);
    let audience = Audience::of_cell(people);
    let told = audience.map(|_| events);
    let at_least = audience.unwrap_or(Audience::Public).k();
    let is_new = sql!(session, c => sqlx::query(SEAL).bind(kind).bind(day).bind(told).bind(at_least)
        .execute(c).await.map(|done| done.rows_affected() == 1))?;
    if told.is_none() || !is_new {
        sql!(session, c => sqlx::query(COUNT_RETIRED).bind(kind).bind(events).execute(c).await.map(drop))?;
    }
    Ok(Some(gone.len()))
}
