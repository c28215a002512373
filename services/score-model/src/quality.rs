//! How good a photograph is, told from its pixels alone and in words.
//!
//! Eight qualities are measured, each between 0 and 1, and their weighted geometric mean is stretched to 1 to 5: one bad quality cannot
//! be bought off by the others. Nothing is learnt and nothing is random: the same file always gets the same score, and every number
//! can be explained.
//!
//! A bird is small and sharp before a large and blurred background, so what is sharp is judged by the sharpest parts of the picture
//! and what is noisy by the calmest, never by the mean of all of it.

use thiserror::Error;

mod measures;
mod planes;
#[cfg(test)]
mod tests;
mod tiles;
mod verdict;

use planes::Planes;

/// The model with its version; a change to any number that it gives to a kept picture raises the version.
pub const MODEL: &str = "niqa-1";

/// What stands before the version in a model's name.
const FAMILY: &str = "niqa-";

/// The shortest edge of a picture that can be judged.
const MIN_EDGE: u32 = 64;

/// The longest edge of a picture that can be judged, as of those that can be uploaded.
const MAX_EDGE: u32 = 16_384;

/// The longest edge of the pictures which are kept: a larger one is judged as it would be kept.
const KEPT_EDGE: u32 = 2048;

/// The judgement of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// From 1.00 (poor) to 5.00 (excellent), in steps of 0.01.
    pub value: f64,
    /// Two to four short sentences: what cost most, then what is good.
    pub reasons: Vec<String>,
    /// What was measured.
    pub parts: Parts,
}

/// The measured qualities, each from 0 (poor) to 1 (as good as it gets).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// How much detail the sharpest parts show, noise not counted.
    pub sharpness: f64,
    /// How fine that detail is: crisp edges against wide ones.
    pub acuity: f64,
    /// Freedom from noise in the calm parts.
    pub cleanness: f64,
    /// Freedom from the blocks of strong JPEG compression.
    pub smoothness: f64,
    /// Brightness: neither too dark nor too bright, nothing burnt out or drowned.
    pub exposure: f64,
    /// The range of tones.
    pub contrast: f64,
    /// The liveliness of the colours.
    pub colour: f64,
    /// The number of pixels.
    pub resolution: f64,
}

/// Why a picture cannot be judged. Trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QualityError {
    /// The bytes are not a picture that can be decoded.
    #[error("the picture cannot be decoded as a JPEG, PNG or WebP")]
    Unreadable,
    /// An edge is shorter than 64 pixels, or longer than 16,384.
    #[error(
        "the picture has {width} x {height} pixels; from 64 to 16384 on each edge can be judged"
    )]
    OutOfBounds {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}

/// Judges a picture. Takes some tens of milliseconds of CPU, hundreds for the largest: call it on a blocking thread.
pub fn score(picture: &[u8]) -> Result<Score, QualityError> {
    let planes = Planes::decode(picture)?;
    let parts = measures::measure(&planes);
    Ok(Score {
        value: verdict::value(&parts),
        reasons: verdict::reasons(&parts),
        parts,
    })
}

/// Whether this model is newer than the one with a name. Older than all are models that do not say theirs, and other kinds.
pub(crate) fn is_newer_than(model: Option<&str>) -> bool {
    let version = |name: &str| name.strip_prefix(FAMILY)?.parse::<u32>().ok();
    version(MODEL) > model.and_then(version)
}
