//! Questions that Notifier answers.

mod mail;

use chassis::keys::Keys;
use chassis::rpc::Question;
use envelope::UserId;
use serde::{Deserialize, Serialize};

pub use mail::{AccountMail, RECIPIENT_HEADER};

/// What stands in [`RECIPIENT_HEADER`] for a recipient.
pub fn recipient_mark(keys: &Keys, user: UserId) -> String {
    const DIGITS: usize = 32;
    let mut mark = keys.purpose("mail recipient").hash(user.0.as_bytes());
    // A longer line would be folded.
    mark.truncate(DIGITS);
    mark
}

/// Sends a mail about an account soon; answered once it is durable.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct QueueAccountMail {
    /// To whom.
    pub user: UserId,
    /// Which.
    pub kind: AccountMail,
}

impl Question for QueueAccountMail {
    const SUBJECT: &'static str = "svc.notifier.queue-account-mail";
    const ASKED_BY: &'static [&'static str] = &["auth-api", "user-api"];
    type Answer = ();
}
