//! What administrators and moderators did.

pub mod v1_0;

pub use v1_0::Audit;

use crate::message::newest_is_canonical;

newest_is_canonical!(Audit, "admin", "audit");
