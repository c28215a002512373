//! Pictures: from a client's upload to the three JPEG files that everybody sees.
//!
//! Everything here is a pure function of bytes: no I/O, no clock, no async. [`check`] reads the header and says how much memory the
//! pixels will take; [`Checked::take_in`] takes that, and some hundred milliseconds of CPU, so it belongs on a blocking thread behind a
//! semaphore that counts megabytes.
//!
//! The order of the checks is the order of their cost: the number of bytes, the first bytes, the end of the file, the size that the
//! header states, and only then the pixels. What was uploaded is never passed on: each size is encoded anew from the pixels, which
//! leaves the place, the camera's serial number, the thumbnail, colour profiles and comments behind.

use thiserror::Error;

mod complete;
mod decode;
mod memory;
mod render;
mod scale;
mod sniff;
#[cfg(test)]
mod tests;

/// The most bytes that an upload may have: 20 MB.
pub(crate) const MAX_BYTES: usize = 20_000_000;

/// The most pixels that a picture may have: 50 megapixels.
pub(crate) const MAX_PIXELS: u64 = 50_000_000;

/// The longest edge that a picture may have.
pub(crate) const MAX_EDGE: u32 = 16_384;

/// The shortest edge that a picture may have: below this nobody recognises a bird.
pub(crate) const MIN_EDGE: u32 = 64;

/// The most memory in megabytes that a picture may take while it is taken in, which is also what all of them may take together: the
/// process is to stay below 300 MB whatever is sent to it. A plain JPEG of 50 megapixels fits.
pub(crate) const MOST_MEMORY: u32 = 162;

/// The picture formats that clients may upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animated one the first frame.
    Png,
    /// WebP, lossy or lossless; of an animated one the first frame.
    WebP,
}

impl Format {
    /// The format that a `Content-Type` header names; parameters after a `;` and upper case do not matter.
    pub(crate) fn from_content_type(header: &str) -> Result<Self, PictureError> {
        let essence = header.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "image/jpeg" => Ok(Self::Jpeg),
            "image/png" => Ok(Self::Png),
            "image/webp" => Ok(Self::WebP),
            other => Err(PictureError::Unsupported {
                hint: sniff::hint_for_content_type(other),
            }),
        }
    }

    /// The `Content-Type` of the format.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }
}

/// The sizes in which a picture is kept, named by the longest edge that they may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// 2048 pixels: the picture on its own page, and what ScoreModel looks at.
    Large,
    /// 1024 pixels: the feed.
    Medium,
    /// 400 pixels: lists and mails.
    Small,
}

impl Size {
    /// All sizes, the largest first.
    pub(crate) const ALL: [Self; 3] = [Self::Large, Self::Medium, Self::Small];

    /// The longest edge in pixels that a picture of this size may have.
    pub(crate) fn longest_edge(self) -> u32 {
        match self {
            Self::Large => 2048,
            Self::Medium => 1024,
            Self::Small => 400,
        }
    }

    /// The size with this longest edge, as in the picture's address.
    pub(crate) fn from_longest_edge(edge: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|size| size.longest_edge() == edge)
    }
}

/// A picture that was taken in: upright, without metadata, in three sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Width in pixels of the large size.
    pub(crate) width: u32,
    /// Height in pixels of the large size.
    pub(crate) height: u32,
    /// The JPEG file of each size. A picture is never enlarged: of a small one the sizes are alike.
    pub(crate) sizes: [(Size, Vec<u8>); 3],
}

impl Picture {
    /// How many bytes the files of all sizes have.
    pub(crate) fn bytes(&self) -> u64 {
        self.sizes.iter().map(|(_, file)| file.len() as u64).sum()
    }

    /// The file of the largest size.
    pub(crate) fn largest(&self) -> &[u8] {
        let [(_, file), ..] = &self.sizes;
        file
    }
}

/// Why a picture was not taken in, and what the client can do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum PictureError {
    /// The upload has no bytes.
    #[error("The request has no body. Send the picture's bytes as the body.")]
    Empty,
    /// The upload has more than [`MAX_BYTES`].
    #[error(
        "The picture has more than 20 MB. Save it smaller, or as a JPEG with a lower quality, and send it again."
    )]
    TooManyBytes,
    /// The format is not one of [`Format`], or not the declared one; the hint says which it is and what to do.
    #[error("{hint}")]
    Unsupported {
        /// What was found and what to send instead.
        hint: String,
    },
    /// The picture has more than [`MAX_PIXELS`], or an edge over [`MAX_EDGE`].
    #[error(
        "The picture has more than 50 megapixels, or more than 16,384 pixels on an edge. Scale it down and send it again; 2,048 pixels on the longest edge are kept."
    )]
    TooManyPixels,
    /// The pixels are not too many, but of a kind that takes more than [`MOST_MEMORY`] to decode.
    #[error(
        "To decode this picture takes too much memory. Scale it down, or save it as a plain JPEG, neither progressive nor with 16 bits a channel, which takes the least, and send it again."
    )]
    TooMuchMemory,
    /// An edge of the picture is shorter than [`MIN_EDGE`], or will be once the picture is scaled to what is kept.
    #[error(
        "The picture has {width} x {height} pixels. At least 64 x 64 are needed, also once its longest edge is scaled down to 2,048. Send a larger picture, or crop a very long one."
    )]
    TooSmall {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The file ends before the picture does.
    #[error(
        "The end of the picture is missing: the upload was cut off. Send the whole file again."
    )]
    CutOff,
    /// The file cannot be decoded.
    #[error(
        "The picture cannot be read: the file is damaged. Open it in a picture program, save it again and send that."
    )]
    Damaged,
    /// A sound picture could not be scaled or encoded: a fault of ours.
    #[error("The picture could not be processed. This is not your fault; try again later.")]
    NotProcessed,
}

/// A file whose header and end are as they should be; its pixels are not decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked {
    format: Format,
    /// How many megabytes it takes to take it in, at most [`MOST_MEMORY`].
    pub(crate) memory: u32,
}

/// Checks an upload that was declared as `declared`, as far as that goes without decoding its pixels.
pub(crate) fn check(declared: Format, bytes: &[u8]) -> Result<Checked, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::TooManyBytes);
    }
    sniff::check(declared, bytes)?;
    complete::check(declared, bytes)?;
    let memory = decode::check(declared, bytes)?;
    Ok(Checked {
        format: declared,
        memory,
    })
}

impl Checked {
    /// Takes in the checked file: turns it upright and makes its three sizes.
    pub(crate) fn take_in(self, bytes: &[u8]) -> Result<Picture, PictureError> {
        render::render(decode::decode(self.format, bytes)?)
    }
}

/// Checks a file that comes from another instance: a JPEG of the size that it is said to have, as [`intake`] makes
/// them, without anything that tells of a camera or a place.
pub(crate) fn check_kept(size: Size, bytes: &[u8]) -> Result<(), PictureError> {
    sniff::check(Format::Jpeg, bytes)?;
    complete::check(Format::Jpeg, bytes)?;
    if complete::tells_more(bytes) {
        return Err(PictureError::Damaged);
    }
    decode::check_edges(bytes, size.longest_edge())
}
