//! What is said of mails without asking anybody: the fuzz targets read it alone.

use serde::{Deserialize, Serialize};

/// The header of every mail that tells, under a keyed hash, whose it is: caught mails are erased with
/// their recipient.
pub const RECIPIENT_HEADER: &str = "X-Dipper-Recipient";

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
