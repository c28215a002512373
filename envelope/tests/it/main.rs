//! What holds for all events, whatever is in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any;
mod cloud;
mod hostile;
mod ratings;
mod round_trip;
