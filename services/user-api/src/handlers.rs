//! What clients may do.

pub(crate) mod requests;
pub(crate) mod users;
