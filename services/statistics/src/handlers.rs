//! The figures as clients see them.

pub(crate) mod overview;
pub(crate) mod ratings;
pub(crate) mod species;
pub(crate) mod timeseries;

/// A breakdown's cell is shown only when at least so many people are in it.
pub(crate) const K: i64 = 10;
