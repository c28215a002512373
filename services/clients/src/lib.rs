//! Typed questions between the services: what may be asked, by whom and why, and the answers.
//!
//! | asker | question | asked |
//! |---|---|---|
//! | all with routes for users | [`auth::VerifyToken`] | AuthAPI |
//! | TickAPI | [`auth::Reauthenticate`], [`auth::SendCode`], [`user::OpenErasure`] | AuthAPI, UserAPI |
//! | AuthAPI | [`user::FindOrCreate`], [`user::FindByEmail`], [`notifier::QueueAccountMail`] | UserAPI, Notifier |
//! | Notifier | [`user::Address`], [`user::SetNotifications`], [`auth::MailSecret`] | UserAPI, AuthAPI |
//! | AdminAPI | [`statistics::Overview`], [`auth::SetRole`] | Statistics, AuthAPI |
//! | UserAPI, after a restore | [`tick::EraseAgain`] | TickAPI |
//! | the command line | [`auth::CreateAccount`] | AuthAPI |

pub mod auth;
pub mod caller;
pub mod notifier;
pub mod receipt;
pub mod statistics;
pub mod tick;
pub mod user;

pub use caller::{Authenticator, Caller};
