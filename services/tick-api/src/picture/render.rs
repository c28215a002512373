//! From pixels to the JPEG files that we keep.

use fast_image_resize::pixels::{U8x3, U8x4};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, RgbImage, RgbaImage};

use super::decode::Decoded;
use super::scale::scale;
use super::{Picture, PictureError, Size};

/// The JPEG quality of what we keep: the eye sees no loss, and a picture of 2048 pixels has some 300 to 900 kB.
const QUALITY: u8 = 82;

/// Makes the three sizes of a picture, upright and on white.
pub(super) fn render(decoded: Decoded) -> Result<Picture, PictureError> {
    let Decoded {
        pixels,
        orientation,
    } = decoded;
    // Shrink first: turning and flattening then have a small picture to do.
    let flat = if pixels.color().has_alpha() {
        flatten(&shrink_transparent(pixels.into_rgba8())?)
    } else {
        shrink(pixels.into_rgb8(), Size::Large)?
    };
    let mut upright = DynamicImage::ImageRgb8(flat);
    upright.apply_orientation(orientation);
    let upright = upright.into_rgb8();
    let (width, height) = (upright.width(), upright.height());

    let mut current = upright;
    let mut files = [const { Vec::new() }; Size::ALL.len()];
    for (file, size) in files.iter_mut().zip(Size::ALL) {
        current = shrink(current, size)?;
        *file = encode(&current)?;
    }
    let [large, medium, small] = files;
    Ok(Picture {
        width,
        height,
        sizes: [
            (Size::Large, large),
            (Size::Medium, medium),
            (Size::Small, small),
        ],
    })
}

/// Scales a picture down so that its longest edge fits the size; one that fits already stays as it is.
fn shrink(picture: RgbImage, size: Size) -> Result<RgbImage, PictureError> {
    let Some((width, height)) = smaller(picture.dimensions(), size) else {
        return Ok(picture);
    };
    let mut result = RgbImage::new(width, height);
    scale::<U8x3>(
        (&picture, picture.dimensions()),
        (&mut result, (width, height)),
    )?;
    Ok(result)
}

/// Scales a picture with transparent parts down to the large size. The colour of transparent pixels does not bleed into others.
fn shrink_transparent(picture: RgbaImage) -> Result<RgbaImage, PictureError> {
    let Some((width, height)) = smaller(picture.dimensions(), Size::Large) else {
        return Ok(picture);
    };
    let mut result = RgbaImage::new(width, height);
    scale::<U8x4>(
        (&picture, picture.dimensions()),
        (&mut result, (width, height)),
    )?;
    Ok(result)
}

/// The width and height that fit a size, if the picture's own do not.
fn smaller((width, height): (u32, u32), size: Size) -> Option<(u32, u32)> {
    let longest = width.max(height);
    // Both factors are at most 16,384: no overflow.
    let scaled = |edge: u32| ((edge * size.longest_edge() + longest / 2) / longest).max(1);
    (longest > size.longest_edge()).then(|| (scaled(width), scaled(height)))
}

/// Puts a picture on white: a JPEG has no transparency, and what is under transparent pixels was not meant to be seen.
fn flatten(transparent: &RgbaImage) -> RgbImage {
    let (width, height) = transparent.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (to, from) in flat.pixels_mut().zip(transparent.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|value| over_white(value, alpha));
    }
    flat
}

/// One channel of a partly transparent pixel over white.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    let blended = (value * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(blended).unwrap_or(u8::MAX)
}

/// Encodes a picture as a JPEG that holds its pixels and nothing else.
fn encode(picture: &RgbImage) -> Result<Vec<u8>, PictureError> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode(
            picture.as_raw(),
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|_| PictureError::NotProcessed)?;
    Ok(file)
}
