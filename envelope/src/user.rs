//! Accounts: someone joined, someone came back, someone limited what is done with their data.

pub mod v1_0;

pub use v1_0::{Limit, Login, Objections, Register, Withdrawn};

use crate::message::newest_is_canonical;

newest_is_canonical!(Limit, "user", "limit");
newest_is_canonical!(Login, "user", "login");
newest_is_canonical!(Register, "user", "register");
