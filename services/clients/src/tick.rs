//! Questions that TickAPI answers.

use chassis::rpc::Question;
use envelope::{EventId, ImageId, UserId};
use serde::{Deserialize, Serialize};

/// All is ready for an erasure that was asked for, or for that of somebody erased whom a restored backup
/// brought back: `gdpr.delete` is published. Refused with `not-asked` when the person is not fenced off
/// here, and so was not told that it is accepted.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct BeginErasure {
    /// Who is to be erased.
    pub user: UserId,
    /// The id that the event must have.
    pub event: EventId,
}

impl Question for BeginErasure {
    const SUBJECT: &'static str = "svc.tick-api.begin-erasure";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = ();
}

/// Which pictures were scored by another model than this one? Those after a picture, by their ids.
#[derive(Clone, Serialize, Deserialize)]
pub struct ScoredByOthers {
    /// The model that asks.
    pub model: String,
    /// The last picture of the answer before; nothing at first.
    pub after: Option<ImageId>,
    /// How many at most.
    pub limit: u16,
}

/// A picture that another model scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredByOther {
    /// The picture.
    pub image: ImageId,
    /// Whose it is.
    pub owner: UserId,
    /// The model, if it said its name.
    pub model: Option<String>,
}

impl Question for ScoredByOthers {
    const SUBJECT: &'static str = "svc.tick-api.scored-by-others";
    const ASKED_BY: &'static [&'static str] = &["score-model"];
    type Answer = Vec<ScoredByOther>;
}
