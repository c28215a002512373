//! The mail catcher over real sockets, as senders and readers meet it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod catching;
mod faults;
mod reading;
mod running;
