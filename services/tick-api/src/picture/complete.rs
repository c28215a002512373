//! Whether a file is all there.
//!
//! A JPEG that was cut off decodes without an error, its rest grey, and a PNG without its last chunk may too. So the end of the picture
//! is looked for before decoding, by the structure of the file: the bytes of an end marker also occur in a thumbnail inside the
//! metadata. Bytes after the end are fine: phones append data there.

use super::{Format, PictureError};

/// Checks that the file reaches the end of its picture.
pub(super) fn check(format: Format, bytes: &[u8]) -> Result<(), PictureError> {
    let complete = match format {
        Format::Jpeg => jpeg(bytes),
        Format::Png => png(bytes),
        Format::WebP => webp(bytes),
    };
    complete.ok_or(PictureError::CutOff)
}

/// Whether a JPEG holds more than its picture: what a camera or a program tells of itself, a thumbnail, a comment, or
/// bytes after its end.
pub(super) fn tells_more(bytes: &[u8]) -> bool {
    const FIRST_OF_APPLICATIONS: u8 = 0xE1;
    const LAST_OF_APPLICATIONS: u8 = 0xEF;
    const COMMENT: u8 = 0xFE;
    let mut more = false;
    let after = walk(bytes, |marker| {
        more |= matches!(
            marker,
            FIRST_OF_APPLICATIONS..=LAST_OF_APPLICATIONS | COMMENT
        );
    });
    more || after != Some(0)
}

/// Whether a JPEG is progressive: it comes in scans, each of which refines all of the picture.
pub(super) fn is_progressive(bytes: &[u8]) -> bool {
    let mut progressive = false;
    walk(bytes, |marker| {
        progressive |= matches!(marker, 0xC2 | 0xC6 | 0xCA | 0xCE);
    });
    progressive
}

fn jpeg(bytes: &[u8]) -> Option<()> {
    walk(bytes, |_| ()).map(drop)
}

/// Walks the marker segments and scans of a JPEG up to its end-of-image marker, and says how many bytes follow it.
fn walk(bytes: &[u8], mut segment: impl FnMut(u8)) -> Option<usize> {
    const END_OF_IMAGE: u8 = 0xD9;
    let mut rest = bytes.get(2..)?;
    loop {
        // Entropy-coded data, if any, ends at the next marker.
        rest = rest.get(rest.iter().position(|&byte| byte == 0xFF)?..)?;
        match *rest.get(1)? {
            // A fill byte before the marker.
            0xFF => rest = rest.get(1..)?,
            END_OF_IMAGE => return Some(rest.len() - 2),
            // A stuffed 0xFF of the data, a temporary marker, or a restart: they have no length.
            0x00 | 0x01 | 0xD0..=0xD7 => rest = rest.get(2..)?,
            marker => {
                segment(marker);
                let length = u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]);
                rest = rest.get(2 + usize::from(length)..)?;
            }
        }
    }
}

/// Walks the chunks of a PNG up to `IEND`.
fn png(bytes: &[u8]) -> Option<()> {
    const SIGNATURE: usize = 8;
    /// Length, type and checksum around a chunk's data.
    const AROUND: usize = 12;
    let mut rest = bytes.get(SIGNATURE..)?;
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk::<4>()?);
        let whole = usize::try_from(length).ok()?.checked_add(AROUND)?;
        let kind = rest.get(4..8)?;
        let next = rest.get(whole..)?;
        if kind == b"IEND" {
            return Some(());
        }
        rest = next;
    }
}

/// Compares the length that a WebP states in its header with the bytes that are there.
fn webp(bytes: &[u8]) -> Option<()> {
    const HEADER: usize = 8;
    let stated = u32::from_le_bytes(*bytes.get(4..)?.first_chunk::<4>()?);
    let rest = bytes.get(HEADER..)?;
    rest.get(..usize::try_from(stated).ok()?).map(|_| ())
}
