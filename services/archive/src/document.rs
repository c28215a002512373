//! The document: everything that is kept about one person, with what it is, what for, and for how
//! long. Where something named somebody else, nothing or the id of nobody stands.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A row of a table or an event: values by their names.
pub type Row = Map<String, Value>;

/// Everything that is kept about one person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The format of this file and its version: `dipper-export/1.0`.
    pub format: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The person's id, by which all services know them.
    pub person: Uuid,
    /// What data is needed for, by which right, and who gets to see it.
    pub purposes: Vec<Purpose>,
    /// What each table of each service holds about the person.
    pub holdings: Vec<Holding>,
    /// Which kinds of events name the person, who reads them and why.
    pub event_kinds: Vec<EventKind>,
    /// The events that name the person or a photo of theirs, in the order in which they happened.
    pub events: Vec<EventRecord>,
    /// Messages that name the person and that no service could read.
    pub dead_letters: Vec<Letter>,
    /// The person's photos: their files lie beside this one.
    pub photos: Vec<Photo>,
    /// What is kept about the person and not in this file, and why not.
    pub left_out: Vec<LeftOut>,
}

/// What data is needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// A stable word.
    pub id: String,
    /// What for.
    pub purpose: String,
    /// By which right.
    pub legal_basis: String,
    /// Who gets to see it, beside the person and the services themselves.
    pub recipients: String,
}

/// What one table holds about the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// The service that keeps it.
    pub service: String,
    /// The table.
    pub table: String,
    /// What for, by the word of a purpose.
    pub purpose: String,
    /// For how long.
    pub retention: String,
    /// What an erasure does to it.
    pub erasure: String,
    /// What each column is.
    pub fields: Vec<Field>,
    /// The rows about the person.
    pub rows: Vec<Row>,
}

/// What a field is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// A column's name, or a place in an event.
    pub name: String,
    /// What it is.
    pub means: String,
    /// About whom it is.
    pub whose: String,
    /// Which kind of data it is.
    pub category: String,
    /// Why its values are not here, if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventKind {
    /// Its name: `tick.new`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it says.
    pub intent: String,
    /// Who sends it.
    pub sent_by: String,
    /// Who reads it.
    pub read_by: Vec<Reader>,
    /// For how long it is kept.
    pub retention: String,
    /// What an erasure does to it.
    pub erasure: String,
    /// What each of its fields is.
    pub fields: Vec<Field>,
}

/// Who reads an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The service.
    pub service: String,
    /// What it needs the event for.
    pub why: String,
}

/// An event that names the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventRecord {
    /// The stream that keeps it.
    pub stream: String,
    /// Its name: `tick.new`.
    pub name: String,
    /// The event, without what names others.
    pub event: Row,
}

/// A message that no service could read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// When it was laid aside.
    pub at: DateTime<Utc>,
    /// The kind of event that it claims to be.
    pub subject: String,
    /// What it holds, as far as it is text.
    pub text: String,
}

/// A photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Photo {
    /// Its id.
    pub id: Uuid,
    /// Its files in the archive, the largest first.
    pub files: Vec<String>,
}

/// Something that is kept and not in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Document {
    /// What `format` says.
    pub const FORMAT: &'static str = "dipper-export/1.0";

    /// The rows of a service's table.
    pub fn rows(&self, service: &str, table: &str) -> impl Iterator<Item = &Row> {
        let holdings = self.holdings.iter();
        holdings
            .filter(move |holding| holding.service == service && holding.table == table)
            .flat_map(|holding| &holding.rows)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A document with rows of tables and nothing else.
    pub(crate) fn document(holdings: &[(&str, &str, &Value)]) -> Document {
        let holdings = holdings.iter().map(|(service, table, rows)| Holding {
            service: (*service).to_owned(),
            table: (*table).to_owned(),
            purpose: "ticks".to_owned(),
            retention: "as long as the account".to_owned(),
            erasure: "deleted".to_owned(),
            fields: Vec::new(),
            rows: serde_json::from_value((*rows).clone()).unwrap(),
        });
        Document {
            format: Document::FORMAT.to_owned(),
            made_at: DateTime::UNIX_EPOCH,
            person: Uuid::nil(),
            purposes: Vec::new(),
            holdings: holdings.collect(),
            event_kinds: Vec::new(),
            events: Vec::new(),
            dead_letters: Vec::new(),
            photos: Vec::new(),
            left_out: Vec::new(),
        }
    }
}
