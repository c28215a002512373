//! What somebody brings along from another instance.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use clients::import::AnyKnown;
use envelope::ImageId;
use uuid::Uuid;

use super::id_list;
use super::images::{self, Standing};
use crate::ranking;

/// Of the person's photos and ticks those that are not theirs, and of the photos that they rated those that are
/// somebody's.
const KNOWN: Sql = Sql {
    sqlite: "SELECT (SELECT COUNT(*) FROM image WHERE owner <> $1
                        AND id IN (SELECT unhex(value) FROM json_each($3)))
                  + (SELECT COUNT(*) FROM image WHERE owner <> $2
                        AND id IN (SELECT unhex(value) FROM json_each($4)))
                  + (SELECT COUNT(*) FROM tick WHERE owner <> $1
                        AND id IN (SELECT unhex(value) FROM json_each($5)))
                  + (SELECT COUNT(*) FROM deleted_tick WHERE owner <> $1
                        AND id IN (SELECT unhex(value) FROM json_each($5)))",
    postgres: "SELECT (SELECT COUNT(*) FROM image WHERE owner <> $1
                          AND id IN (SELECT value::uuid FROM jsonb_array_elements_text($3::jsonb) AS v(value)))
                    + (SELECT COUNT(*) FROM image WHERE owner <> $2
                          AND id IN (SELECT value::uuid FROM jsonb_array_elements_text($4::jsonb) AS v(value)))
                    + (SELECT COUNT(*) FROM tick WHERE owner <> $1
                          AND id IN (SELECT value::uuid FROM jsonb_array_elements_text($5::jsonb) AS v(value)))
                    + (SELECT COUNT(*) FROM deleted_tick WHERE owner <> $1
                          AND id IN (SELECT value::uuid FROM jsonb_array_elements_text($5::jsonb) AS v(value)))",
};
const STAND_IN: Sql = Sql {
    sqlite: "INSERT INTO image (id, owner, width, height, created_at, rank_value)
             SELECT unhex(value), $2, 0, 0, 0, $3 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO image (id, owner, width, height, created_at, rank_value)
               SELECT value::uuid, $2, 0, 0, 0, $3 FROM jsonb_array_elements_text($1::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};
const NEEDLESS: &str = "DELETE FROM image WHERE owner = $1
    AND NOT EXISTS (SELECT 1 FROM rating WHERE rating.image = image.id)";

/// Whose a photo is that is not here.
const NOBODY: Uuid = Uuid::nil();

/// Whether any of what somebody brings along is here already, and not theirs.
pub(crate) async fn any_known(
    session: &mut Session,
    question: &AnyKnown,
) -> Result<bool, DatabaseError> {
    let text = KNOWN.text(session.dialect());
    let photos = id_list(question.photos.iter().map(|image| image.0));
    let rated = id_list(question.rated.iter().map(|image| image.0));
    let ticks = id_list(question.ticks.iter().map(|tick| tick.0));
    let known: i64 = sql!(session, c => sqlx::query_scalar(text)
        .bind(question.user.0).bind(NOBODY).bind(&photos).bind(&rated).bind(&ticks)
        .fetch_one(c).await)?;
    Ok(known > 0)
}

/// Makes rows for photos that are elsewhere: nobody's, without a file, in no feed. False when one of them is here.
pub(crate) async fn stand_in(
    session: &mut Session,
    elsewhere: &[ImageId],
) -> Result<bool, DatabaseError> {
    let ids = id_list(elsewhere.iter().map(|image| image.0));
    let rank = ranking::rank(None, 0, 0);
    let text = STAND_IN.text(session.dialect());
    sql!(session, c => sqlx::query(text).bind(&ids).bind(NOBODY).bind(rank)
        .execute(c).await.map(drop))?;
    let there = images::standing(session, elsewhere.iter().map(|image| image.0)).await?;
    Ok(there.values().all(Standing::stands_in))
}

/// Deletes the rows that stood for photos whose last rating is gone. Says how many.
pub(crate) async fn forget_needless(session: &mut Session) -> Result<u64, DatabaseError> {
    let gone = sql!(session, c => sqlx::query(NEEDLESS).bind(NOBODY)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone)
}
