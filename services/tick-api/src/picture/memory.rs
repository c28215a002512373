//! How much memory a picture takes while it is taken in, told from its header.
//!
//! The decoders differ: one writes the pixels where they are wanted, another keeps all coefficients or a whole canvas beside them.
//! What is said here is read from their code and confirmed by a test that measures the process (`dipper`'s `hostile.rs`).

use image::{ColorType, ImageDecoder};

use super::scale::LINES_AT_ONCE;
use super::{Format, Size, complete};

/// The unit in which memory is counted.
pub(super) const MEGABYTE: u64 = 1024 * 1024;

/// How many megabytes it takes to decode and to scale down a picture.
pub(super) fn needed(format: Format, bytes: &[u8], decoder: &impl ImageDecoder) -> u32 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let picture = decoder.total_bytes();
    let decoding = picture + pixels * beside(format, bytes);
    let most = decoding.max(rendering(decoder.color_type(), (width, height), picture));
    u32::try_from(most.div_ceil(MEGABYTE)).unwrap_or(u32::MAX)
}

/// Scaling down has the decoded pixels, a copy when they are not 8-bit colours, the scaled picture, and what some of its lines take: the
/// lines scaled down only, and with transparency a copy of those that they are made of.
fn rendering(colour: ColorType, (width, height): (u32, u32), decoded: u64) -> u64 {
    let (wide, tall) = (u64::from(width), u64::from(height));
    let channels = if colour.has_alpha() { 4 } else { 3 };
    let copied = match colour {
        ColorType::Rgb8 | ColorType::Rgba8 => 0,
        _ => wide * tall * channels,
    };
    let (longest, large) = (wide.max(tall), u64::from(Size::Large.longest_edge()));
    let scaled = (wide * tall).min(wide * tall * large * large / (longest * longest).max(1));
    let lines = u64::from(LINES_AT_ONCE);
    let made_of = if colour.has_alpha() {
        lines * longest / large
    } else {
        0
    };
    decoded + copied + channels * (scaled + wide * (lines + made_of))
}

/// The most bytes a pixel that a decoder keeps beside the decoded pixels.
fn beside(format: Format, bytes: &[u8]) -> u64 {
    /// Two bytes for the coefficient of each of three channels.
    const PROGRESSIVE: u64 = 6;
    match format {
        Format::Jpeg if complete::is_progressive(bytes) => PROGRESSIVE,
        // A few lines.
        Format::Jpeg | Format::Png => 0,
        Format::WebP => beside_webp(bytes),
    }
}

/// What the decoder of WebP keeps, by the kind of its first chunk.
fn beside_webp(bytes: &[u8]) -> u64 {
    const ANIMATED: u8 = 0x02;
    const TRANSPARENT: u8 = 0x10;
    /// Brightness, and colours at half the size.
    const LOSSY: u64 = 2;
    /// The pixels with a transparency that is not wanted.
    const LOSSLESS: u64 = 4;
    match (bytes.get(12..16), bytes.get(20)) {
        (Some(b"VP8 "), _) => LOSSY,
        (Some(b"VP8X"), Some(flags)) if flags & ANIMATED != 0 => 2 * LOSSLESS + LOSSLESS + LOSSY,
        (Some(b"VP8X"), Some(flags)) if flags & TRANSPARENT != 0 => LOSSLESS + LOSSY + 1,
        _ => LOSSLESS,
    }
}
