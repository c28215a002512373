//! What is restored brings nobody back who was erased since.

pub mod copies;
mod old_copies;
pub mod people;
mod postgres;
mod refused;
mod round_trip;
