//! Questions that TickAPI answers.

use chassis::rpc::Question;
use envelope::{EventId, UserId};
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
    type Answer = ();
}
