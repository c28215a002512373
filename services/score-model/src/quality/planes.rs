//! A picture in the few forms in which it is looked at.

use std::io::Cursor;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, RgbImage};

use super::{KEPT_EDGE, MAX_EDGE, MIN_EDGE, QualityError};

/// The longest edge at which detail is looked at. Every picture is brought to it, small ones too: a picture that was scaled down has
/// lost detail exactly as a blurred one has, and only at the same viewing size are the two alike.
const VIEWING_EDGE: u32 = 1600;

/// The longest edge at which light and colour are looked at: noise and fine detail are averaged out.
const THUMBNAIL_EDGE: u32 = 256;

/// A grey picture in rows.
pub(super) struct Plane {
    width: usize,
    values: Vec<f32>,
}

impl Plane {
    fn new(grey: &GrayImage) -> Self {
        Self {
            // At least 1, because rows cannot be cut into none.
            width: usize::try_from(grey.width()).unwrap_or(1).max(1),
            values: grey
                .as_raw()
                .iter()
                .map(|&value| f32::from(value))
                .collect(),
        }
    }

    /// The number of pixels in a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How wide this plane is compared with another.
    pub(super) fn width_relative_to(&self, other: &Self) -> f64 {
        let width = |plane: &Self| u32::try_from(plane.width).map_or(1.0, f64::from);
        width(self) / width(other)
    }

    /// The rows from top to bottom.
    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width)
    }

    /// The plane at half its size, each pixel the mean of four.
    pub(super) fn halved(&self) -> Self {
        let mut values = Vec::with_capacity(self.values.len() / 4);
        for pair in self.values.chunks_exact(2 * self.width) {
            let (upper, lower) = pair.split_at(self.width);
            let quads = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            values
                .extend(quads.map(|(a, b)| (a.iter().sum::<f32>() + b.iter().sum::<f32>()) / 4.0));
        }
        Self {
            width: (self.width / 2).max(1),
            values,
        }
    }

    /// The plane softened by the binomial filter 1-2-1 across and down; one pixel is lost at each border.
    pub(super) fn softened(&self) -> Self {
        let width = self.width.saturating_sub(2).max(1);
        let mut across = Vec::with_capacity(self.values.len());
        for row in self.rows() {
            let triples = row.array_windows();
            across.extend(triples.map(|[left, centre, right]| (left + 2.0 * centre + right) / 4.0));
        }
        let below = across.iter().skip(width).zip(across.iter().skip(2 * width));
        let values = across
            .iter()
            .zip(below)
            .map(|(above, (centre, below))| (above + 2.0 * centre + below) / 4.0)
            .collect();
        Self { width, values }
    }
}

/// The forms in which a picture is looked at.
pub(super) struct Planes {
    /// The brightness as the file has it, for what JPEG has done to it.
    pub(super) grid: Plane,
    /// The brightness at the viewing size, for detail.
    pub(super) view: Plane,
    /// The picture at thumbnail size, for light and colour.
    pub(super) thumbnail: RgbImage,
    /// The number of pixels of the file.
    pub(super) pixels: u32,
}

impl Planes {
    /// Decodes a picture and prepares all that the measures need.
    pub(super) fn decode(picture: &[u8]) -> Result<Self, QualityError> {
        let colour = kept(decoded(picture)?)?;
        let (width, height) = colour.dimensions();
        let colour = DynamicImage::ImageRgb8(colour);
        let grey = colour.to_luma8();
        let mut view = GrayImage::new(
            fit(width, height, VIEWING_EDGE),
            fit(height, width, VIEWING_EDGE),
        );
        let size = view.dimensions();
        scale::<U8>((&grey, grey.dimensions()), (&mut view, size))?;
        let mut thumbnail = RgbImage::new(
            fit(width, height, THUMBNAIL_EDGE),
            fit(height, width, THUMBNAIL_EDGE),
        );
        let size = thumbnail.dimensions();
        scale::<U8x3>((colour.as_bytes(), (width, height)), (&mut thumbnail, size))?;
        Ok(Self {
            grid: Plane::new(&grey),
            view: Plane::new(&view),
            thumbnail,
            pixels: width * height,
        })
    }

    /// The brightness as the file has it, but at most at the viewing size, for noise.
    pub(super) fn native(&self) -> &Plane {
        if self.grid.values.len() > self.view.values.len() {
            &self.view
        } else {
            &self.grid
        }
    }
}

/// The colours of a picture of a size that can be judged.
fn decoded(picture: &[u8]) -> Result<RgbImage, QualityError> {
    let decoder = ImageReader::new(Cursor::new(picture))
        .with_guessed_format()
        .map_err(|_| QualityError::Unreadable)?
        .into_decoder()
        .map_err(|_| QualityError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    let bounds = MIN_EDGE..=MAX_EDGE;
    if !bounds.contains(&width) || !bounds.contains(&height) {
        return Err(QualityError::OutOfBounds { width, height });
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| QualityError::Unreadable)?;
    Ok(picture.into_rgb8())
}

/// A picture at the size at which it would be kept.
fn kept(picture: RgbImage) -> Result<RgbImage, QualityError> {
    let (width, height) = picture.dimensions();
    if width.max(height) <= KEPT_EDGE {
        return Ok(picture);
    }
    let mut kept = RgbImage::new(fit(width, height, KEPT_EDGE), fit(height, width, KEPT_EDGE));
    let size = kept.dimensions();
    scale::<U8x3>((&picture, picture.dimensions()), (&mut kept, size))?;
    Ok(kept)
}

/// The length of a side once the longer of it and the other has the given length.
fn fit(side: u32, other: u32, longest: u32) -> u32 {
    // Both factors are at most 16,384: no overflow.
    (side * longest / side.max(other)).max(1)
}

/// Scales pixels from one buffer to another. The pixel's type is fixed at each call, because the general way compiles every filter for
/// every type, which takes minutes.
fn scale<P: PixelTrait>(
    (from, (width, height)): (&[u8], (u32, u32)),
    (to, (new_width, new_height)): (&mut [u8], (u32, u32)),
) -> Result<(), QualityError> {
    let from = TypedImageRef::<P>::from_buffer(width, height, from);
    let from = from.map_err(|_| QualityError::Unreadable)?;
    let to = TypedImage::<P>::from_buffer(new_width, new_height, to);
    let mut to = to.map_err(|_| QualityError::Unreadable)?;
    Resizer::new()
        .resize_typed(&from, &mut to, &ResizeOptions::new())
        .map_err(|_| QualityError::Unreadable)
}
