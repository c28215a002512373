//! A service's database built anew from the streams, beside the live one: a generation of its own,
//! with consumers of its own and without effects. It is compared with the live one, and may take its
//! place. Only where everything follows from the streams (`Reader::is_derived` in the catalogue);
//! what streams do not keep is brought over from the live generation.

mod answers;
mod compare;
mod keeper;
mod reader;
mod store;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rpc::CommonQuestion;

pub(crate) use answers::answers;
pub(crate) use keeper::Keeper;

/// The refusal of a second rebuild while one runs.
pub const ALREADY_RUNNING: &str = "already-running";

/// When what was built takes the live generation's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// It does not; only the comparison is wanted.
    Never,
    /// If all tables are equal.
    #[default]
    IfEqual,
    /// Whatever the comparison says.
    Always,
}

/// How it stands with a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has begun.
    Asked,
    /// Events are read.
    Reading,
    /// All is read; the tables are compared.
    Comparing,
    /// It was compared and is gone; the live generation stayed.
    Compared,
    /// It has taken the live generation's place.
    Switched,
    /// Somebody asked for its end.
    Cancelled,
    /// It ended by itself, for the reason that is given.
    Failed,
}

/// Asks for a rebuild; refused while another runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Start {
    /// When it takes over.
    pub switch: Switch,
    /// How many events it may read in a second.
    pub events_per_second: Option<u32>,
}

impl CommonQuestion for Start {
    const NAME: &'static str = "rebuild-start";
    const ASKED_BY: &'static [&'static str] = &["admin-api", "operator"];
    type Answer = Rebuild;
}

/// How it stands with the newest rebuild.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Show {}

impl CommonQuestion for Show {
    const NAME: &'static str = "rebuild-show";
    const ASKED_BY: &'static [&'static str] = &["admin-api", "operator"];
    type Answer = Option<Rebuild>;
}

/// Asks for a rebuild's end; false when none runs. The live generation stays as it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cancel {}

impl CommonQuestion for Cancel {
    const NAME: &'static str = "rebuild-cancel";
    const ASKED_BY: &'static [&'static str] = &["admin-api", "operator"];
    type Answer = bool;
}

/// A rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuild {
    /// Its id.
    pub id: Uuid,
    /// When it takes over.
    pub switch: Switch,
    /// How many events it may read in a second.
    pub events_per_second: Option<u32>,
    /// How it stands.
    pub state: State,
    /// How far it is, and what came of it.
    pub progress: Progress,
    /// When it was asked for, in microseconds since 1970.
    pub started_at: i64,
    /// When it ended, in microseconds since 1970.
    pub ended_at: Option<i64>,
}

/// How far a rebuild is, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// How many events were read.
    pub events: u64,
    /// How many of them a second.
    pub events_per_second: u64,
    /// How many failed that the live generation has not parked: they were given up there, or what
    /// handles them has become worse.
    pub skipped: u64,
    /// The streams.
    pub streams: Vec<StreamProgress>,
    /// The tables, once they are compared.
    pub tables: Vec<TableCompared>,
    /// For how long the live workers waited at the end; readers did not.
    pub held_ms: u64,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How far a rebuild is in a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamProgress {
    /// The stream.
    pub stream: String,
    /// All up to this sequence is handled.
    pub checkpoint: u64,
    /// Where the live generation is.
    pub live: u64,
}

/// A table of both generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableCompared {
    /// The table.
    pub table: String,
    /// How many rows the live generation has.
    pub live_rows: u64,
    /// How many rows were built.
    pub built_rows: u64,
    /// How many rows only the live generation has, as they are.
    pub only_live: u64,
    /// How many rows only the new generation has, as they are.
    pub only_built: u64,
}

impl TableCompared {
    /// Whether both have the same rows.
    pub fn is_equal(&self) -> bool {
        self.live_rows == self.built_rows && self.only_live == 0 && self.only_built == 0
    }
}

impl Rebuild {
    /// Whether it has come to its end.
    pub fn has_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}
