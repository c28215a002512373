//! Ratings that wait to be told of, and the mails that tell.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{EventId, ImageId, UserId};
use uuid::Uuid;

use crate::letter::Told;

const INSERT: &str =
    "INSERT INTO pending (event_id, owner, rater, image_id, rating, queued_at, traceparent)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING";
const FORGET_ONE: &str =
    "DELETE FROM pending WHERE rater = $1 AND image_id = $2 AND mail_id IS NULL";
// Looked at now, whatever was decided before: the owner may have changed their wish since.
const WAKE: &str =
    "INSERT INTO recipient (owner, due_at, claimed_until, attempts) VALUES ($1, $2, 0, 0)
    ON CONFLICT (owner) DO UPDATE SET due_at = excluded.due_at";
// The condition stands twice: of two processes that choose the same row, the second sees it claimed.
const CLAIM: &str = "UPDATE recipient SET claimed_until = $2
    WHERE claimed_until <= $1 AND owner IN (
        SELECT owner FROM recipient WHERE due_at <= $1 AND claimed_until <= $1
        ORDER BY due_at LIMIT $3)
    RETURNING owner, last_sent_at, mail_id, attempts";
const WAITING: &str = "SELECT event_id, image_id, rating, traceparent FROM pending WHERE owner = $1
    ORDER BY queued_at, event_id LIMIT $2";
const OF_MAIL: &str =
    "SELECT event_id, image_id, rating, traceparent FROM pending WHERE owner = $1 AND mail_id = $2
    ORDER BY queued_at, event_id";
const ASSIGN: Sql = Sql {
    sqlite: "UPDATE pending SET mail_id = $2 WHERE owner = $1
             AND event_id IN (SELECT unhex(value) FROM json_each($3))",
    postgres: "UPDATE pending SET mail_id = $2 WHERE owner = $1
               AND event_id IN (SELECT value::uuid FROM jsonb_array_elements_text($3::jsonb) AS v(value))",
};
const SET_MAIL: &str = "UPDATE recipient SET mail_id = $2 WHERE owner = $1";
const DELETE_OF_MAIL: &str = "DELETE FROM pending WHERE owner = $1 AND mail_id = $2";
const DELETE_ALL: &str = "DELETE FROM pending WHERE owner = $1";
const SETTLE: &str = "UPDATE recipient SET claimed_until = 0, mail_id = NULL, attempts = 0,
    last_sent_at = COALESCE($2, last_sent_at) WHERE owner = $1";
const NEXT: &str = "UPDATE recipient SET due_at =
    CASE WHEN EXISTS (SELECT 1 FROM pending WHERE owner = $1) THEN CAST($2 AS BIGINT) END
    WHERE owner = $1";
const POSTPONE: &str =
    "UPDATE recipient SET due_at = $2, claimed_until = 0, attempts = attempts + $3
    WHERE owner = $1";

/// A rating that its image's owner is to be told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRating {
    /// Whose image it is.
    pub(crate) owner: UserId,
    /// Who rated.
    pub(crate) rater: UserId,
    /// What is told.
    pub(crate) told: Told,
}

/// An owner whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Whose.
    pub(crate) owner: UserId,
    /// When they were last told.
    pub(crate) last_sent_at: Option<i64>,
    /// The mail that was on its way to them when somebody stopped.
    pub(crate) mail: Option<Uuid>,
    /// How often their mail was put off.
    pub(crate) attempts: i64,
}

/// Forgets what waits to be told of a rating: it was changed or taken back. What a mail that is on
/// its way tells of stays.
pub(crate) async fn forget_one(
    session: &mut Session,
    rater: UserId,
    image: ImageId,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_ONE).bind(rater.0).bind(image.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Queues a rating in place of what the same person said before, and has its owner looked at now.
pub(crate) async fn queue(
    session: &mut Session,
    rating: NewRating,
    now: i64,
) -> Result<(), DatabaseError> {
    let NewRating { owner, rater, told } = rating;
    forget_one(session, rater, told.image).await?;
    sql!(session, c => sqlx::query(INSERT).bind(told.event.0).bind(owner.0).bind(rater.0)
        .bind(told.image.0).bind(told.rating).bind(now).bind(told.trace.map(|place| place.to_string()))
        .execute(c).await.map(drop))?;
    sql!(session, c => sqlx::query(WAKE).bind(owner.0).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Claims up to `limit` owners whose turn it is, until `until`.
pub(crate) async fn claim(
    session: &mut Session,
    (now, until): (i64, i64),
    limit: i64,
) -> Result<Vec<Turn>, DatabaseError> {
    let rows: Vec<(Uuid, Option<i64>, Option<Uuid>, i64)> = sql!(session, c =>
        sqlx::query_as(CLAIM).bind(now).bind(until).bind(limit).fetch_all(c).await)?;
    let turns = rows
        .into_iter()
        .map(|(owner, last_sent_at, mail, attempts)| Turn {
            owner: UserId(owner),
            last_sent_at,
            mail,
            attempts,
        });
    Ok(turns.collect())
}

/// What waits for an owner, the oldest first, up to `limit`.
pub(crate) async fn waiting(
    session: &mut Session,
    owner: UserId,
    limit: i64,
) -> Result<Vec<Told>, DatabaseError> {
    let rows =
        sql!(session, c => sqlx::query_as(WAITING).bind(owner.0).bind(limit).fetch_all(c).await)?;
    Ok(told(rows))
}

/// What a mail that is on its way tells of.
pub(crate) async fn of_mail(
    session: &mut Session,
    owner: UserId,
    mail: Uuid,
) -> Result<Vec<Told>, DatabaseError> {
    let rows =
        sql!(session, c => sqlx::query_as(OF_MAIL).bind(owner.0).bind(mail).fetch_all(c).await)?;
    Ok(told(rows))
}

fn told(rows: Vec<(Uuid, Uuid, i64, Option<String>)>) -> Vec<Told> {
    let told = rows.into_iter().map(|(event, image, rating, trace)| Told {
        event: EventId(event),
        image: ImageId(image),
        rating,
        trace: trace.and_then(|place| place.parse().ok()),
    });
    told.collect()
}

/// Says which mail tells of these ratings. Others, queued meanwhile, wait for the next.
pub(crate) async fn assign(
    session: &mut Session,
    owner: UserId,
    mail: Uuid,
    events: &[EventId],
) -> Result<(), DatabaseError> {
    let ids: Vec<String> = events.iter().map(|id| id.0.simple().to_string()).collect();
    let list = serde_json::Value::from(ids).to_string();
    let text = ASSIGN.text(session.dialect());
    sql!(session, c => sqlx::query(text).bind(owner.0).bind(mail).bind(&list)
        .execute(c).await.map(drop))?;
    sql!(session, c => sqlx::query(SET_MAIL).bind(owner.0).bind(mail).execute(c).await.map(drop))?;
    Ok(())
}

/// The mail is through, one way or the other: what it told of goes. `sent_at` when it was accepted.
pub(crate) async fn settle(
    session: &mut Session,
    owner: UserId,
    mail: Uuid,
    (sent_at, now): (Option<i64>, i64),
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_OF_MAIL).bind(owner.0).bind(mail).execute(c).await.map(drop))?;
    rest(session, owner, sent_at, now).await
}

/// Forgets everything that waits for an owner.
pub(crate) async fn forget(
    session: &mut Session,
    owner: UserId,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_ALL).bind(owner.0).execute(c).await.map(drop))?;
    rest(session, owner, None, now).await
}

/// The owner's turn is over; they are looked at again if something waits.
///
/// Two statements: the first waits for a rating that is being queued by another process, the
/// second sees it.
pub(crate) async fn rest(
    session: &mut Session,
    owner: UserId,
    sent_at: Option<i64>,
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SETTLE).bind(owner.0).bind(sent_at).execute(c).await.map(drop))?;
    sql!(session, c => sqlx::query(NEXT).bind(owner.0).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Looks at the owner again later; `attempts` is how many more there were.
pub(crate) async fn postpone(
    session: &mut Session,
    owner: UserId,
    due_at: i64,
    attempts: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(POSTPONE).bind(owner.0).bind(due_at).bind(attempts)
        .execute(c).await.map(drop))?;
    Ok(())
}
