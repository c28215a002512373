//! What is said about an event, beside its data.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Who made an event, when, and because of what. Names are those of the CloudEvents extensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Who made the event: `services/TickAPI`.
    pub source: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// What belongs together: the request that began it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<Uuid>,
    /// The event that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Uuid>,
    /// The W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Events with the same key keep their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitionkey: Option<String>,
    /// How sensitive the data is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataclassification: Option<String>,
    /// This version of the event will go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<bool>,
    /// When this version will go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecationsunset: Option<String>,
    /// Whatever else a producer says; kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Metadata {
    /// The names of the declared fields: [`Metadata::other`] must not use them.
    pub const DECLARED: [&'static str; 9] = [
        "source",
        "time",
        "correlationid",
        "causationid",
        "traceparent",
        "partitionkey",
        "dataclassification",
        "deprecated",
        "deprecationsunset",
    ];

    /// Metadata that says only who and when.
    pub fn new(source: impl Into<String>, time: DateTime<Utc>) -> Self {
        Self {
            source: source.into(),
            time,
            correlationid: None,
            causationid: None,
            traceparent: None,
            partitionkey: None,
            dataclassification: None,
            deprecated: None,
            deprecationsunset: None,
            other: Map::new(),
        }
    }
}
