//! Accounts: someone joined, someone came back.

pub mod v1_0;

pub use v1_0::{Login, Register};

use crate::message::newest_is_canonical;

newest_is_canonical!(Login, "user", "login");
newest_is_canonical!(Register, "user", "register");
