//! Who wants to be in no figure, or in none about scores.
//!
//! Figures are counted without them, not without their rows: so any order of events gives the same figures, and nothing
//! is lost for who changes their mind.

use std::collections::HashSet;

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;
use uuid::Uuid;

// What came later stands, in whatever order it is told.
const SET: &str =
    "INSERT INTO limited (user_id, stands, unscored, changed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET stands = excluded.stands, unscored = excluded.unscored,
        changed_at = excluded.changed_at
    WHERE excluded.changed_at > limited.changed_at";
const LEFT_OUT: &str = "SELECT user_id FROM limited WHERE stands = true";

/// Whether a tick or the note that somebody exists is in figures.
macro_rules! is_counted {
    () => {
        "user_id NOT IN (SELECT user_id FROM limited WHERE stands = true)"
    };
}
pub(super) use is_counted;

/// Whether a fact about a user is in figures.
macro_rules! fact_is_counted {
    () => {
        "(user_id IS NULL OR user_id NOT IN (SELECT user_id FROM limited WHERE stands = true))"
    };
}
pub(super) use fact_is_counted;

/// Whether what is about an image is in figures: whose it is, is known by its ticks.
macro_rules! image_is_counted {
    () => {
        "(image_id IS NULL OR image_id NOT IN (SELECT image_id FROM tick WHERE image_id IS NOT NULL
            AND user_id IN (SELECT user_id FROM limited WHERE stands = true)))"
    };
}
pub(super) use image_is_counted;

/// Whether a rating is in figures: it is about who rated and about the image's owner.
macro_rules! rating_is_counted {
    () => {
        concat!(
            crate::store::limits::is_counted!(),
            " AND (owner IS NULL OR owner NOT IN (SELECT user_id FROM limited WHERE stands = true)) AND ",
            crate::store::limits::image_is_counted!()
        )
    };
}
pub(super) use rating_is_counted;

/// Notes what somebody wants to be left out of, unless something later is known.
pub(crate) async fn set(
    session: &mut Session,
    user: UserId,
    wish: Wish,
    at: i64,
) -> Result<(), DatabaseError> {
    let Wish { figures, scores } = wish;
    sql!(session, c => sqlx::query(SET).bind(user.0).bind(figures).bind(scores).bind(at)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// What somebody wants to be left out of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Every figure.
    pub(crate) figures: bool,
    /// Figures about scores.
    pub(crate) scores: bool,
}

/// Those who are in no figure.
pub(crate) async fn left_out(session: &mut Session) -> Result<HashSet<Uuid>, DatabaseError> {
    let people: Vec<Uuid> = sql!(session, c => sqlx::query_scalar(LEFT_OUT).fetch_all(c).await)?;
    Ok(people.into_iter().collect())
}
