//! A tick that its owner corrects. What it said before stays nowhere.

use chassis::database::DatabaseError;
use chassis::sql;
use chassis::unit_of_work::{Draft, Work, WorkError};
use chrono::NaiveDate;
use envelope::{EventId, TickId, UserId, derived_id, tick};

use super::TickRow;
use crate::NAME;

/// Whoever else corrects it waits until this is committed, or undone.
const REVISE: &str = "UPDATE tick SET revision = revision + 1 WHERE id = $1 AND owner = $2
    RETURNING id, image, species, seen_on, birds, place, note, created_at, revision";
const CORRECT: &str =
    "UPDATE tick SET species = $2, seen_on = $3, day = $4, birds = $5, place = $6, note = $7,
    fingerprint = $8 WHERE id = $1";

/// A tick as it was, and the number of the state that takes the place of that.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Revised {
    /// As it was.
    #[sqlx(flatten)]
    pub row: TickRow,
    /// How often it was corrected, this time included.
    pub revision: i64,
}

/// What is corrected: checked and sealed.
#[derive(Debug)]
pub(crate) struct Correction {
    /// What others learn of it.
    pub event: tick::Update,
    /// The tick as its owner reads it from now on.
    pub row: TickRow,
    /// The day that counts.
    pub day: NaiveDate,
    /// By what the same request is recognised.
    pub fingerprint: String,
}

/// Begins to correct a tick of this owner. None when there is no such tick.
pub(crate) async fn revise(
    work: &mut Work,
    owner: UserId,
    tick: TickId,
) -> Result<Option<Revised>, DatabaseError> {
    Ok(sql!(work, c => sqlx::query_as(REVISE).bind(tick.0).bind(owner.0).fetch_optional(c).await)?)
}

/// Corrects the tick and tells of it. Events that say what it was, and wait or might be sent again, go; those in the
/// stream are overwritten by whoever keeps the subject index.
pub(crate) async fn correct(work: &mut Work, correction: Correction) -> Result<(), WorkError> {
    let Correction {
        event,
        row,
        day,
        fingerprint,
    } = correction;
    sql!(work, c => sqlx::query(CORRECT).bind(row.id)
        .bind(row.species.as_deref()).bind(row.seen_on).bind(day).bind(row.birds)
        .bind(row.place.as_deref()).bind(row.note.as_deref()).bind(&fingerprint)
        .execute(c).await.map(drop))
    .map_err(DatabaseError::from)?;
    // Not even what was sealed stays in the files.
    work.erases();
    let tick = event.tick.id;
    let before = event_id(tick, event.revision - 1);
    work.supersede(&[tick.into(), before]).await?;
    let id = event_id(tick, event.revision);
    work.publish(Draft::new(event).with_id(id))?;
    Ok(())
}

/// The id of the event that tells of a state: it follows from tick and number, so nothing has to remember it.
fn event_id(tick: TickId, revision: u32) -> EventId {
    derived_id(&format!("{NAME} {revision}"), tick.into())
}
