//! Typed questions between the services: what may be asked, by whom and why, and the answers.
//!
//! | asker | question | asked |
//! |---|---|---|
//! | all with routes for users | [`auth::VerifyToken`] | AuthAPI |
//! | TickAPI | [`auth::Reauthenticate`], [`auth::SendCode`], [`auth::EndSessions`], [`user::OpenErasure`] | AuthAPI, UserAPI |
//! | UserAPI | [`tick::BeginErasure`], [`statistics::ForgetImages`], [`notifier::QueueAccountMail`] | TickAPI, Statistics, Notifier |
//! | AuthAPI | [`user::FindOrCreate`], [`user::FindByEmail`], [`user::ConfirmAddress`], [`notifier::QueueAccountMail`] | UserAPI, Notifier |
//! | Notifier | [`user::Address`], [`user::NewAddress`], [`user::SetNotifications`], [`auth::MailSecret`] | UserAPI, AuthAPI |
//! | ScoreModel | [`user::MayScore`] | UserAPI |
//! | AdminAPI | [`statistics::Overview`], [`auth::SetRole`], [`auth::ShowAccount`], [`auth::Suspend`], [`auth::EndSessions`], [`user::FindByEmail`], [`user::ListErasures`], [`user::ExtendErasure`], [`user::RetryErasure`], [`user::ListExports`], [`user::ListReceipts`], [`user::ShowReceipt`], all of [`moderation`] | Statistics, AuthAPI, UserAPI, TickAPI |
//! | the command line | [`auth::CreateAccount`], all of [`import`] | AuthAPI, TickAPI, UserAPI |

pub mod auth;
pub mod caller;
pub mod cookie;
pub mod import;
pub mod moderation;
pub mod notifier;
pub mod permissions;
pub mod receipt;
pub mod statistics;
pub mod tick;
mod token;
pub mod user;

pub use caller::{Authenticator, Caller, Proven};
