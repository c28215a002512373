//! What is restored brings nobody back who was erased since.

mod copies;
mod old_copies;
mod people;
mod refused;
mod round_trip;
