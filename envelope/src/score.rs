//! Scores: how good an image is, as a model sees it.

pub mod v1_0;
pub mod v1_1;

pub use v1_1::Update;

use crate::message::newest_is_canonical;

newest_is_canonical!(Update, "score", "update");
