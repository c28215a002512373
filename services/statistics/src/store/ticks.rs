//! Ticks, and ticks that were taken back.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{ImageId, TickId, UserId, tick};

// Whether it stands is not touched: it may have been taken back by an event that came before. What was corrected stays.
macro_rules! known_now {
    () => {
        " ON CONFLICT (id, user_id) DO UPDATE SET image_id = excluded.image_id, species_id = excluded.species_id,
            scientific = excluded.scientific, english = excluded.english, at = excluded.at, revision = excluded.revision
          WHERE excluded.revision >= tick.revision"
    };
}

const INSERT: Sql = Sql {
    sqlite: concat!(
        "INSERT INTO tick (id, user_id, stands, image_id, species_id, scientific, english, at, revision)
         SELECT unhex(value->>0), unhex(value->>1), true, unhex(value->>2), value->>3, value->>4, value->>5, value->>6,
                value->>7
         FROM json_each($1) WHERE true",
        known_now!()
    ),
    postgres: concat!(
        "INSERT INTO tick (id, user_id, stands, image_id, species_id, scientific, english, at, revision)
         SELECT (value->>0)::uuid, (value->>1)::uuid, true, (value->>2)::uuid, value->>3, value->>4, value->>5,
                (value->>6)::bigint, (value->>7)::bigint
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
    /// Whose.
    pub(crate) user: UserId,
    /// With which image.
    pub(crate) image: ImageId,
    /// Of which species.
    pub(crate) species: Option<&'a tick::Species>,
    /// How often it was corrected before it was so.
    pub(crate) revision: u32,
    /// When it was made.
    pub(crate) at: i64,
}

/// Somebody ticked, or corrected a tick: what is newer stands, in whatever order it is told. Each tick once.
pub(crate) async fn insert(
    session: &mut Session,
    ticks: impl Iterator<Item = Ticked<'_>>,
) -> Result<(), DatabaseError> {
    let rows = ticks.map(|tick| {
        let species = tick.species;
        (
            tick.id.0.simple(),
            tick.user.0.simple(),
            tick.image.0.simple(),
            species.map(|species| &species.id),
            species.map(|species| &species.scientific),
            species.map(|species| &species.english),
            tick.at,
            tick.revision,
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
