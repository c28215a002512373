//! Receipts that may name mails which an erasure came too late for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Event, RequestRef, catalogue, whole};

/// A service deleted what it held: its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purged {
    /// The request that was answered.
    pub request: RequestRef,
    /// The service that deleted: `tick-api`.
    #[schemars(regex(pattern = r"^[a-z]+(-[a-z]+)*$"), length(max = 64))]
    pub service: String,
    /// How many rows, files and events went.
    #[serde(deserialize_with = "whole::number")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub rows: u64,
    /// The Message-IDs (before the `@`) of mails to the person that were being handed to the mail
    /// server: they were broken off, and one that it had taken in whole may still have arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub mails_under_way: Vec<Uuid>,
}

impl Event for Purged {
    const CONTRACT: &'static Contract = &catalogue::gdpr::PURGED_V1_1;

    fn key(&self) -> Uuid {
        self.request.id
    }
}
