//! Ticks, and ticks that were taken back.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{TickId, UserId, tick};

// Whether it stands is not touched: it may have been taken back by an event that came before.
macro_rules! known_now {
    () => {
        " ON CONFLICT (id, user_id) DO UPDATE SET image_id = excluded.image_id, species_id = excluded.species_id,
            scientific = excluded.scientific, english = excluded.english, at = excluded.at"
    };
}

const INSERT: Sql = Sql {
    sqlite: concat!(
        "INSERT INTO tick (id, user_id, stands, image_id, species_id, scientific, english, at)
         SELECT unhex(value->>0), unhex(value->>1), true, unhex(value->>2), value->>3, value->>4, value->>5, value->>6
         FROM json_each($1) WHERE true",
        known_now!()
    ),
    postgres: concat!(
        "INSERT INTO tick (id, user_id, stands, image_id, species_id, scientific, english, at)
         SELECT (value->>0)::uuid, (value->>1)::uuid, true, (value->>2)::uuid, value->>3, value->>4, value->>5,
                (value->>6)::bigint
         FROM jsonb_array_elements($1::jsonb) AS v(value)",
        known_now!()
    ),
};
const TAKE_BACK: &str = "INSERT INTO tick (id, user_id, stands) VALUES ($1, $2, false)
    ON CONFLICT (id, user_id) DO UPDATE SET stands = false";

/// A tick that an event tells of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticked<'a> {
    /// Its id.
    pub(crate) id: TickId,
    /// What is told.
    pub(crate) tick: &'a tick::New,
    /// When it was made.
    pub(crate) at: i64,
}

/// Somebody ticked.
pub(crate) async fn insert(
    session: &mut Session,
    ticks: impl Iterator<Item = Ticked<'_>>,
) -> Result<(), DatabaseError> {
    let rows = ticks.map(|Ticked { id, tick, at }| {
        let (user, image) = (tick.user.id.0.simple(), tick.image.url.image().0.simple());
        let species = tick.species.as_ref();
        (
            id.0.simple(),
            user,
            image,
            species.map(|species| &species.id),
            species.map(|species| &species.scientific),
            species.map(|species| &species.english),
            at,
        )
    });
    session.write_rows(INSERT, rows.collect()).await
}

/// Somebody took a tick of theirs back, whether or not it is known yet.
pub(crate) async fn take_back(
    session: &mut Session,
    id: TickId,
    user: UserId,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(TAKE_BACK).bind(id.0).bind(user.0).execute(c).await.map(drop))?;
    Ok(())
}
