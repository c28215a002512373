//! Where photos were taken, still sealed.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::ImageId;
use uuid::Uuid;

/// Nothing of a photo that others do not see, nor of who does not consent to exact places.
const OF_IMAGE: &str = "SELECT t.id, t.owner, t.species, t.place FROM tick AS t WHERE t.image = $1
    AND NOT EXISTS (SELECT 1 FROM moderation_case AS m WHERE m.image = t.image AND m.hidden_for IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM limited AS l WHERE l.user_id = t.owner AND (l.restricted = true OR l.unplaced = true))
    ORDER BY t.created_at, t.id LIMIT $2";

/// What a tick says of where a photo was taken.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct PlaceRow {
    /// The tick.
    pub id: Uuid,
    /// Who ticked.
    pub owner: Uuid,
    /// The species.
    pub species: Option<String>,
    /// The precise place, sealed.
    pub place: Option<Vec<u8>>,
}

/// What the ticks of a photo say of its place, the first one first, so far as it may be told to others at all.
pub(crate) async fn of_image(
    session: &mut Session,
    image: ImageId,
    limit: i64,
) -> Result<Vec<PlaceRow>, DatabaseError> {
    let rows =
        sql!(session, c => sqlx::query_as(OF_IMAGE).bind(image.0).bind(limit).fetch_all(c).await)?;
    Ok(rows)
}
