//! From a file to pixels, within limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Format, MAX_EDGE, MAX_PIXELS, MIN_EDGE, MOST_MEMORY, PictureError, Size, memory};

/// The pixels of a picture as the camera stored them, and how they must be turned.
pub(super) struct Decoded {
    pub(super) pixels: DynamicImage,
    pub(super) orientation: Orientation,
}

/// Reads the header of a file whose first bytes and end have been checked, and says how many megabytes it takes to decode the rest,
/// unless that promises more, or less, than we take: a file of some kilobytes can state billions of pixels.
pub(super) fn check(format: Format, bytes: &[u8]) -> Result<u32, PictureError> {
    unharmed(|| {
        let decoder = decoder(format, bytes)?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PictureError::TooManyPixels);
        }
        if shortest_edge_kept(width, height) < MIN_EDGE {
            return Err(PictureError::TooSmall { width, height });
        }
        let memory = memory::needed(format, bytes, &decoder);
        if memory > MOST_MEMORY {
            return Err(PictureError::TooMuchMemory);
        }
        Ok(memory)
    })
}

/// Decodes a file that was checked.
pub(super) fn decode(format: Format, bytes: &[u8]) -> Result<Decoded, PictureError> {
    unharmed(|| {
        let mut decoder = decoder(format, bytes)?;
        // Metadata that cannot be read is no reason to refuse a picture that can.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let pixels = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error))?;
        Ok(Decoded {
            pixels,
            orientation,
        })
    })
}

/// The decoders are other people's code and the bytes are anybody's: a slip in one of them must cost this upload, nothing more.
fn unharmed<T>(read: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(PictureError::Damaged))
}

fn decoder(format: Format, bytes: &[u8]) -> Result<impl ImageDecoder + '_, PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format));
    reader.limits(limits());
    reader.into_decoder().map_err(|error| refusal(&error))
}

/// Checks the size that the header of a JPEG states.
pub(super) fn check_edges(bytes: &[u8], longest: u32) -> Result<(), PictureError> {
    let reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    let (width, height) = reader.into_dimensions().map_err(|error| refusal(&error))?;
    if width.max(height) > longest || width.min(height) == 0 {
        return Err(PictureError::Damaged);
    }
    Ok(())
}

/// The shortest edge that is left once the longest is scaled down to what we keep.
fn shortest_edge_kept(width: u32, height: u32) -> u32 {
    let longest = width.max(height).max(1);
    let kept = longest.min(Size::Large.longest_edge());
    // Both factors are at most 16,384: no overflow.
    width.min(height) * kept / longest
}

/// What the decoders may take for the pixels and for themselves.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(u64::from(MOST_MEMORY) * memory::MEGABYTE);
    limits
}

fn image_format(format: Format) -> ImageFormat {
    match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
    }
}

/// What a decoder's error means to the client; its text is about bytes and tables, and helps nobody.
fn refusal(error: &ImageError) -> PictureError {
    match error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
            PictureError::TooMuchMemory
        }
        ImageError::Limits(_) => PictureError::TooManyPixels,
        ImageError::Unsupported(_) => PictureError::Unsupported {
            hint: "The picture uses a rare variant of its format, such as 12-bit or arithmetic coding. Save it as a plain JPEG and send that."
                .to_owned(),
        },
        _ => PictureError::Damaged,
    }
}
