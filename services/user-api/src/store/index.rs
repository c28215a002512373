//! The subject index: where in the streams a person is named, and whose an image is.

use chassis::database::{DatabaseError, Session, Sql, json_text};
use chassis::sql;
use uuid::Uuid;

use super::{Place, json_places};

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO subject_index (person, stream, sequence)
             SELECT unhex(value->>0), value->>1, value->>2 FROM json_each($1) WHERE true
             ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO subject_index (person, stream, sequence)
               SELECT (value->>0)::uuid, value->>1, (value->>2)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value) ON CONFLICT DO NOTHING",
};
const INSERT_OWNERS: Sql = Sql {
    sqlite: "INSERT INTO image_owner (image, owner)
             SELECT unhex(value->>0), unhex(value->>1) FROM json_each($1) WHERE true
             ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO image_owner (image, owner)
               SELECT (value->>0)::uuid, (value->>1)::uuid
               FROM jsonb_array_elements($1::jsonb) AS v(value) ON CONFLICT DO NOTHING",
};
const OWNER: &str = "SELECT owner FROM image_owner WHERE image = $1";
const IMAGES: &str = "SELECT image FROM image_owner WHERE owner = $1";
const PLACES: &str = "SELECT DISTINCT stream, sequence FROM subject_index
    WHERE person IN (SELECT $1 UNION ALL SELECT image FROM image_owner WHERE owner = $1)
    ORDER BY stream, sequence LIMIT $2";
const PLACES_AFTER: &str = "SELECT DISTINCT stream, sequence FROM subject_index
    WHERE person IN (SELECT $1 UNION ALL SELECT image FROM image_owner WHERE owner = $1)
    AND (stream, sequence) > ($2, $3) ORDER BY stream, sequence LIMIT $4";
// Whoever is named somewhere and is no image, and whoever has an account.
const PEOPLE_AMONG: Sql = Sql {
    sqlite: "SELECT person FROM subject_index
             WHERE person IN (SELECT unhex(value) FROM json_each($1))
             AND NOT EXISTS (SELECT 1 FROM image_owner WHERE image = person)
             UNION SELECT user_id FROM identity WHERE user_id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT person FROM subject_index
               WHERE person IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
               AND NOT EXISTS (SELECT 1 FROM image_owner WHERE image = person)
               UNION SELECT user_id FROM identity
               WHERE user_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const FORGET_PLACES: Sql = Sql {
    sqlite: "DELETE FROM subject_index
             WHERE (stream, sequence) IN (SELECT value->>0, value->>1 FROM json_each($1))",
    postgres: "DELETE FROM subject_index WHERE (stream, sequence) IN
               (SELECT value->>0, (value->>1)::bigint FROM jsonb_array_elements($1::jsonb) AS v(value))",
};
const FORGET_BEFORE: &str = "DELETE FROM subject_index WHERE stream = $1 AND sequence < $2";
const FORGET_ALL: &str = "DELETE FROM subject_index";
const PLACES_TO_LATE: &str = "INSERT INTO late (stream, sequence)
    SELECT stream, sequence FROM subject_index WHERE person = $1 ON CONFLICT DO NOTHING";
const FORGET_PERSON: &str = "DELETE FROM subject_index WHERE person = $1";
const FORGET_IMAGES: &str = "DELETE FROM image_owner WHERE owner = $1";

/// Notes who is named at which place: users and images.
pub(crate) async fn insert(
    session: &mut Session,
    named: &[(Uuid, &Place)],
) -> Result<(), DatabaseError> {
    let rows = named
        .iter()
        .map(|(person, place)| (person.simple(), &place.stream, place.sequence));
    session.write_rows(INSERT, rows.collect()).await
}

/// Notes whose images are: image and owner. Who is known first stays.
pub(crate) async fn insert_owners(
    session: &mut Session,
    owners: &[(Uuid, Uuid)],
) -> Result<(), DatabaseError> {
    let rows = owners
        .iter()
        .map(|(image, owner)| (image.simple(), owner.simple()));
    session.write_rows(INSERT_OWNERS, rows.collect()).await
}

/// Whose an image is.
pub(crate) async fn owner(
    session: &mut Session,
    image: Uuid,
) -> Result<Option<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(OWNER).bind(image).fetch_optional(c).await)?)
}

/// A user's images.
pub(crate) async fn images(session: &mut Session, owner: Uuid) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(IMAGES).bind(owner).fetch_all(c).await)?)
}

/// The first places at which a user or an image of theirs is named.
pub(crate) async fn places(
    session: &mut Session,
    user: Uuid,
    limit: i64,
) -> Result<Vec<Place>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(PLACES).bind(user).bind(limit).fetch_all(c).await)?)
}

/// The places at which a user or an image of theirs is named, after one of them.
pub(crate) async fn places_after(
    session: &mut Session,
    user: Uuid,
    after: &Place,
    limit: i64,
) -> Result<Vec<Place>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(PLACES_AFTER)
        .bind(user).bind(&after.stream).bind(after.sequence).bind(limit)
        .fetch_all(c).await)?)
}

/// Which of some ids are people's, as far as anybody knows.
pub(crate) async fn people_among(
    session: &mut Session,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, DatabaseError> {
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let ids = json_text(&ids)?;
    let text = PEOPLE_AMONG.text(session.dialect());
    Ok(sql!(session, c => sqlx::query_scalar(text).bind(&ids).fetch_all(c).await)?)
}

/// Forgets places where nothing is any more, whoever was named there.
pub(crate) async fn forget_places(
    session: &mut Session,
    places: &[Place],
) -> Result<(), DatabaseError> {
    let places = json_places(places);
    let text = FORGET_PLACES.text(session.dialect());
    sql!(session, c => sqlx::query(text).bind(&places).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets all places of a stream before a sequence.
pub(crate) async fn forget_before(
    session: &mut Session,
    stream: &str,
    sequence: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_BEFORE).bind(stream).bind(sequence).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets all places: the streams are about to be read from the beginning.
pub(crate) async fn forget_all(session: &mut Session) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_ALL).execute(c).await.map(drop))?;
    Ok(())
}

/// Hands all places at which an image is named to the guard.
pub(crate) async fn move_to_late(session: &mut Session, image: Uuid) -> Result<(), DatabaseError> {
    for text in [PLACES_TO_LATE, FORGET_PERSON] {
        sql!(session, c => sqlx::query(text).bind(image).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Forgets whose images these were.
pub(crate) async fn forget_images(session: &mut Session, owner: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(FORGET_IMAGES).bind(owner).execute(c).await.map(drop))?;
    Ok(())
}
