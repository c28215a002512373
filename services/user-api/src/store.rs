//! All SQL of the service.

pub(crate) mod address_changes;
pub(crate) mod consents;
pub(crate) mod corrections;
pub(crate) mod deadlines;
pub(crate) mod erasures;
pub(crate) mod exports;
pub(crate) mod finished;
pub(crate) mod identities;
pub(crate) mod imports;
pub(crate) mod index;
pub(crate) mod late;
pub(crate) mod ledger;
pub(crate) mod limits;
pub(crate) mod replicas;
pub(crate) mod scans;

use chassis::database::DatabaseError;
use serde::de::DeserializeOwned;

/// A place in a stream.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Place {
    /// The stream's name.
    pub stream: String,
    /// The sequence in it.
    pub sequence: i64,
}

impl Place {
    /// Where to begin to read in the order of places.
    pub(crate) fn before_all() -> Self {
        Self {
            stream: String::new(),
            sequence: 0,
        }
    }

    /// The place that an event was read from.
    pub(crate) fn new(stream: &str, sequence: u64) -> Result<Self, DatabaseError> {
        Ok(Self {
            stream: stream.to_owned(),
            sequence: i64::try_from(sequence)
                .map_err(|_| DatabaseError::Damaged("a stream's sequence"))?,
        })
    }
}

/// Reads a column that holds JSON.
pub(crate) fn from_json<T: DeserializeOwned>(
    text: Option<&str>,
    column: &'static str,
) -> Result<Option<T>, DatabaseError> {
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|_| DatabaseError::Damaged(column))
}

/// Places for one set-based statement.
fn json_places(places: &[Place]) -> String {
    let places = places
        .iter()
        .map(|place| serde_json::json!([place.stream, place.sequence]));
    places.collect::<serde_json::Value>().to_string()
}
