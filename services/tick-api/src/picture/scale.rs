//! Scaling down, some lines at a time: so a part of a picture is kept beside the two, and not another whole one.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};

use super::PictureError;

/// How many lines of the scaled picture are made at a time.
pub(super) const LINES_AT_ONCE: u32 = 256;

/// How many scaled pixels around the one that is made have a part in it, to each side.
const REACH: u32 = 3;

/// Scales pixels from one buffer to another. The pixel's type is fixed at each call, because the general way compiles every filter for
/// every type, which takes minutes.
pub(super) fn scale<P: PixelTrait>(
    (from, (width, height)): (&[u8], (u32, u32)),
    (to, (new_width, new_height)): (&mut [u8], (u32, u32)),
) -> Result<(), PictureError> {
    let [line, new_line] = [width, new_width].map(|width| width as usize * size_of::<P>());
    let mut resizer = Resizer::new();
    let parts = to.chunks_mut(new_line * LINES_AT_ONCE as usize);
    for (part, first) in parts.zip((0..new_height).step_by(LINES_AT_ONCE as usize)) {
        let lines = LINES_AT_ONCE.min(new_height - first);
        let seen = Seen::new((first, lines), (height, new_height));
        let from = from.get(seen.start as usize * line..).unwrap_or_default();
        let from = TypedImageRef::<P>::from_buffer(width, seen.lines, from);
        let from = from.map_err(|_| PictureError::NotProcessed)?;
        let part = TypedImage::<P>::from_buffer(new_width, lines, part);
        let mut part = part.map_err(|_| PictureError::NotProcessed)?;
        let options = ResizeOptions::new().crop(0.0, seen.top, f64::from(width), seen.tall);
        resizer
            .resize_typed(&from, &mut part, &options)
            .map_err(|_| PictureError::NotProcessed)?;
    }
    Ok(())
}

/// The lines of a picture from which some lines of the scaled one are made.
struct Seen {
    /// The first line that has a part in it.
    start: u32,
    /// How many there are.
    lines: u32,
    /// How far below the first one the scaled lines begin.
    top: f64,
    /// How many lines they stand for.
    tall: f64,
}

impl Seen {
    fn new((first, lines): (u32, u32), (height, new_height): (u32, u32)) -> Self {
        let around = REACH * height.div_ceil(new_height) + 1;
        // All factors are at most 16,384: no overflow.
        let start = (first * height / new_height).saturating_sub(around);
        let end = ((first + lines) * height).div_ceil(new_height) + around;
        let seen = end.min(height) - start;
        let top = f64::from(first * height) / f64::from(new_height) - f64::from(start);
        let tall = f64::from(lines * height) / f64::from(new_height);
        Self {
            start,
            lines: seen,
            top,
            tall: tall.min(f64::from(seen) - top),
        }
    }
}

#[cfg(test)]
mod tests {
    use fast_image_resize::pixels::{U8x3, U8x4};

    use super::*;

    /// Scales all lines at once.
    fn at_once<P: PixelTrait>(from: &[u8], size: (u32, u32), new: (u32, u32)) -> Vec<u8> {
        let mut to = vec![0; new.0 as usize * new.1 as usize * size_of::<P>()];
        let from = TypedImageRef::<P>::from_buffer(size.0, size.1, from).unwrap();
        let mut scaled = TypedImage::<P>::from_buffer(new.0, new.1, &mut to).unwrap();
        Resizer::new()
            .resize_typed(&from, &mut scaled, &ResizeOptions::new())
            .unwrap();
        to
    }

    fn is_as_at_once<P: PixelTrait>(size: (u32, u32), new: (u32, u32)) {
        let bytes = size.0 as usize * size.1 as usize * size_of::<P>();
        let from = (0..bytes).map(|at| u8::try_from(at * at / 7 % 251).unwrap());
        let from: Vec<u8> = from.collect();
        let mut to = vec![0; new.0 as usize * new.1 as usize * size_of::<P>()];
        scale::<P>((&from, size), (&mut to, new)).unwrap();
        let pairs = to.into_iter().zip(at_once::<P>(&from, size, new));
        let most = pairs.map(|(part, whole)| part.abs_diff(whole)).max();
        assert!(most <= Some(1), "{size:?} to {new:?}: {most:?}");
    }

    #[test]
    fn what_is_scaled_in_parts_is_as_what_is_scaled_at_once() {
        for (size, new) in [
            ((300, 2000), (154, 1024)),
            ((90, 3100), (59, 2047)),
            ((64, 1025), (25, 400)),
            ((1000, 700), (400, 280)),
            ((70, 2049), (70, 2048)),
        ] {
            is_as_at_once::<U8x3>(size, new);
            is_as_at_once::<U8x4>(size, new);
        }
    }
}
