//! All SQL of the service: writing what events say, counting it, deleting it.

pub(crate) mod erasure;
pub(crate) mod facts;
pub(crate) mod figures;
pub(crate) mod people;
pub(crate) mod ratings;
pub(crate) mod series;
#[cfg(test)]
mod tests;
pub(crate) mod ticks;
