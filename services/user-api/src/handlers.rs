//! What clients may do.

pub(crate) mod consents;
pub(crate) mod exports;
pub(crate) mod limits;
pub(crate) mod requests;
pub(crate) mod users;

use axum::http::{HeaderName, header};

/// Personal data stays out of every cache.
const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];
