//! Erasure: the request, each service's receipt, the end.

pub mod v1_0;
pub mod v1_1;

pub use v1_0::{Delete, Erased};
pub use v1_1::Purged;

use crate::message::newest_is_canonical;

newest_is_canonical!(Delete, "gdpr", "delete");
newest_is_canonical!(Purged, "gdpr", "purged");
newest_is_canonical!(Erased, "gdpr", "erased");
