//! Questions that Statistics answers.

use chassis::rpc::Question;
use envelope::ImageId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The platform's totals, now.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Overview {}

/// Totals of the whole platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Ticks that stand.
    pub ticks: i64,
    /// Ratings that stand: one per user and image.
    pub ratings: i64,
    /// Images that were ticked.
    pub images: i64,
    /// Scores that ScoreModel gave.
    pub scores: i64,
    /// Mails that were sent about ratings.
    pub notifications: i64,
    /// Log-ins.
    pub logins: i64,
    /// People who have logged in, ticked or rated.
    pub users: i64,
}

impl Question for Overview {
    const SUBJECT: &'static str = "svc.statistics.overview";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Figures;
}

/// Forgets photos of somebody who is being erased: a tick that was passed over, because its birder is
/// fenced off, never told Statistics whose photo it was scoring.
#[derive(Clone, Serialize, Deserialize)]
pub struct ForgetImages {
    /// Which; a thousand at a time.
    pub images: Vec<ImageId>,
}

impl Question for ForgetImages {
    const SUBJECT: &'static str = "svc.statistics.forget-images";
    const ASKED_BY: &'static [&'static str] = &["user-api"];
    type Answer = ();
}
