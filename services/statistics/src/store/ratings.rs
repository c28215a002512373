//! Ratings: the newest word of each user about each image.

use std::collections::BTreeMap;

use chassis::database::{DatabaseError, Session, Sql};
use envelope::{EventId, ImageId, UserId};

// The event id decides between words of the same microsecond, so that any order gives the same.
macro_rules! newest_wins {
    () => {
        " ON CONFLICT (user_id, image_id) DO UPDATE SET
            owner = COALESCE(rating.owner, excluded.owner),
            value = CASE WHEN (excluded.at, excluded.event_id) > (rating.at, rating.event_id)
                         THEN excluded.value ELSE rating.value END,
            at = CASE WHEN (excluded.at, excluded.event_id) > (rating.at, rating.event_id)
                      THEN excluded.at ELSE rating.at END,
            event_id = CASE WHEN (excluded.at, excluded.event_id) > (rating.at, rating.event_id)
                            THEN excluded.event_id ELSE rating.event_id END"
    };
}

const RECORD: Sql = Sql {
    sqlite: concat!(
        "INSERT INTO rating (user_id, image_id, owner, value, at, event_id)
         SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3, value->>4, unhex(value->>5)
         FROM json_each($1) WHERE true",
        newest_wins!()
    ),
    postgres: concat!(
        "INSERT INTO rating (user_id, image_id, owner, value, at, event_id)
         SELECT (value->>0)::uuid, (value->>1)::uuid, (value->>2)::uuid, (value->>3)::bigint,
                (value->>4)::bigint, (value->>5)::uuid
         FROM jsonb_array_elements($1::jsonb) AS v(value)",
        newest_wins!()
    ),
};

/// What a user said about an image, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Who.
    pub(crate) user: UserId,
    /// Of which image.
    pub(crate) image: ImageId,
    /// Whose image it is, when the event says so.
    pub(crate) owner: Option<UserId>,
    /// The rating; none when it was taken back.
    pub(crate) value: Option<i64>,
    /// When.
    pub(crate) at: i64,
    /// The event that says so.
    pub(crate) event: EventId,
}

/// Keeps each word that is newer than what is known.
pub(crate) async fn record(
    session: &mut Session,
    words: impl Iterator<Item = Word>,
) -> Result<(), DatabaseError> {
    // A statement may touch a row once only; in one order, so that two processes never wait for
    // each other.
    let mut newest: BTreeMap<_, Word> = BTreeMap::new();
    for word in words {
        newest
            .entry((word.user.0, word.image.0))
            .and_modify(|known| *known = known.and(word))
            .or_insert(word);
    }
    let rows = newest.values().map(|word| {
        let owner = word.owner.map(|owner| owner.0.simple());
        let (user, image) = (word.user.0.simple(), word.image.0.simple());
        (
            user,
            image,
            owner,
            word.value,
            word.at,
            word.event.0.simple(),
        )
    });
    session.write_rows(RECORD, rows.collect()).await
}

impl Word {
    /// What is known after both; as the statement does it with what is stored.
    fn and(self, other: Self) -> Self {
        let later = (other.at, other.event.0) > (self.at, self.event.0);
        let newest = if later { other } else { self };
        Self {
            owner: self.owner.or(other.owner),
            ..newest
        }
    }
}
