//! What clients may do.

pub(crate) mod exports;
pub(crate) mod requests;
pub(crate) mod users;
