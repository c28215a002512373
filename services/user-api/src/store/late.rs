//! Events that came after their person was fenced off.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use uuid::Uuid;

use super::{Place, json_places};

const INSERT: &str = "INSERT INTO late (stream, sequence) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const FIRST: &str = "SELECT stream, sequence FROM late ORDER BY stream, sequence LIMIT $1";
const DELETE: Sql = Sql {
    sqlite: "DELETE FROM late
             WHERE (stream, sequence) IN (SELECT value->>0, value->>1 FROM json_each($1))",
    postgres: "DELETE FROM late WHERE (stream, sequence) IN
               (SELECT value->>0, (value->>1)::bigint FROM jsonb_array_elements($1::jsonb) AS v(value))",
};
const INSERT_IMAGE: &str = "INSERT INTO late_image (image) VALUES ($1) ON CONFLICT DO NOTHING";
const IMAGES: &str = "SELECT image FROM late_image LIMIT 1000";
const DELETE_IMAGE: &str = "DELETE FROM late_image WHERE image = $1";

/// Notes an event that must go.
pub(crate) async fn insert(session: &mut Session, place: &Place) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT)
        .bind(&place.stream).bind(place.sequence)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The first that wait.
pub(crate) async fn first(session: &mut Session, limit: i64) -> Result<Vec<Place>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(FIRST).bind(limit).fetch_all(c).await)?)
}

/// Forgets events that are gone.
pub(crate) async fn delete(session: &mut Session, places: &[Place]) -> Result<(), DatabaseError> {
    let places = json_places(places);
    let text = DELETE.text(session.dialect());
    sql!(session, c => sqlx::query(text).bind(&places).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes a photo of an erased person that others have still to forget.
pub(crate) async fn insert_image(session: &mut Session, image: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT_IMAGE).bind(image).execute(c).await.map(drop))?;
    Ok(())
}

/// Photos of erased people that others have still to forget.
pub(crate) async fn images(session: &mut Session) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(IMAGES).fetch_all(c).await)?)
}

/// They have.
pub(crate) async fn delete_image(session: &mut Session, image: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE_IMAGE).bind(image).execute(c).await.map(drop))?;
    Ok(())
}
