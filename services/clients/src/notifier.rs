//! Questions that Notifier answers.

use chassis::keys::Keys;
use chassis::rpc::Question;
use envelope::UserId;
use serde::{Deserialize, Serialize};

/// The header of every mail that tells, under a keyed hash, whose it is: caught mails are erased with
/// their recipient.
pub const RECIPIENT_HEADER: &str = "X-Dipper-Recipient";

/// What stands there for a recipient.
pub fn recipient_mark(keys: &Keys, user: UserId) -> String {
    const DIGITS: usize = 32;
    let mut mark = keys.purpose("mail recipient").hash(user.0.as_bytes());
    // A longer line would be folded.
    mark.truncate(DIGITS);
    mark
}

/// Mails about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountMail {
    /// Holds the link that confirms a registration.
    Confirm,
    /// Tells that somebody tried to register with an address that has an account.
    AlreadyRegistered,
    /// Holds a code for what cannot be undone.
    Code,
    /// Holds the link that confirms a new address; goes there.
    ConfirmAddress,
    /// Tells at the address as it is that it is to change.
    AddressChanging,
    /// Holds the link by which a new password is chosen.
    Reset,
    /// Tells that the password was changed.
    PasswordChanged,
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
