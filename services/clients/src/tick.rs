//! Questions that TickAPI answers.

use chassis::rpc::Question;
use envelope::{EventId, UserId};
use serde::{Deserialize, Serialize};

/// Publishes `gdpr.delete` for somebody who was erased before, and whom a restored backup brought back.
/// Refused with `not-erased` for anybody else.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct EraseAgain {
    /// Who came back.
    pub user: UserId,
    /// The id that the event gets.
    pub event: EventId,
}

impl Question for EraseAgain {
    const SUBJECT: &'static str = "svc.tick-api.erase-again";
    type Answer = ();
}
