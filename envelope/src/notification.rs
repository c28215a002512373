//! Notifications: what was sent to whom, and because of what.

pub mod v1_0;

pub use v1_0::{Email, SourceEvent};

use crate::message::newest_is_canonical;

newest_is_canonical!(Email, "notification", "email");
