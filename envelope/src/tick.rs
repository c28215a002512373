//! Ticks: a user saw a bird and says so with an image.

pub mod v1_0;
pub mod v1_1;

pub use v1_0::{Delete, Update};
pub use v1_1::{New, Place, Species};

use crate::message::newest_is_canonical;

newest_is_canonical!(New, "tick", "new");
newest_is_canonical!(Update, "tick", "update");
newest_is_canonical!(Delete, "tick", "delete");
