//! Whose image it is, as ticks say.

use std::collections::HashMap;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{ImageId, UserId};
use serde_json::json;
use uuid::Uuid;

// An image belongs to whoever ticked it first; nobody can take it over by ticking it too.
const INSERT: Sql = Sql {
    sqlite: "INSERT INTO image_owner (image_id, owner)
             SELECT unhex(value->>0), unhex(value->>1) FROM json_each($1) WHERE true
             ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO image_owner (image_id, owner)
               SELECT (value->>0)::uuid, (value->>1)::uuid
               FROM jsonb_array_elements($1::jsonb) AS v(value) ON CONFLICT DO NOTHING",
};
const OWNERS: Sql = Sql {
    sqlite: "SELECT image_id, owner FROM image_owner
             WHERE image_id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT image_id, owner FROM image_owner
               WHERE image_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const OF: &str = "SELECT image_id FROM image_owner WHERE owner = $1
    UNION SELECT image_id FROM pending WHERE owner = $1";

/// Images were ticked by their owners.
pub(crate) async fn insert(
    session: &mut Session,
    ticked: impl Iterator<Item = (ImageId, UserId)>,
) -> Result<(), DatabaseError> {
    let rows = ticked.map(|(image, owner)| (image.0.simple(), owner.0.simple()));
    session.write_rows(INSERT, rows.collect()).await
}

/// Whose images they are, as far as ticks have said so.
pub(crate) async fn owners(
    session: &mut Session,
    images: impl Iterator<Item = ImageId>,
) -> Result<HashMap<ImageId, UserId>, DatabaseError> {
    let images: Vec<String> = images.map(|image| image.0.simple().to_string()).collect();
    let (text, list) = (OWNERS.text(session.dialect()), json!(images).to_string());
    let rows: Vec<(Uuid, Uuid)> =
        sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?;
    let owners = rows
        .into_iter()
        .map(|(image, owner)| (ImageId(image), UserId(owner)));
    Ok(owners.collect())
}

/// The images that are known to be somebody's.
pub(crate) async fn of(session: &mut Session, owner: UserId) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(OF).bind(owner.0).fetch_all(c).await)?)
}
