//! The figures as clients see them.

pub(crate) mod overview;
pub(crate) mod ratings;
pub(crate) mod retention;
pub(crate) mod species;
pub(crate) mod timeseries;
