//! What a file really is, by its first bytes.

use super::{Format, PictureError};

/// How far into the file a text format is looked for.
const TEXT_PROBE: usize = 512;

/// What can be told from the first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A format that we take.
    Picture(Format),
    /// A format that we know but do not take, by its name.
    Other(&'static str),
    /// Nothing that we know.
    Unknown,
}

/// Checks that the file begins as a file of the declared format does.
pub(super) fn check(declared: Format, bytes: &[u8]) -> Result<(), PictureError> {
    let hint = match kind(bytes) {
        Kind::Picture(found) if found == declared => return Ok(()),
        Kind::Picture(found) => format!(
            "The Content-Type says {}, but the file is {}. Send it with `Content-Type: {1}`.",
            declared.content_type(),
            found.content_type(),
        ),
        Kind::Other(name) => hint_for_format(name),
        Kind::Unknown => {
            "The file is not a picture that we know. Send a JPEG, PNG or WebP picture.".to_owned()
        }
    };
    Err(PictureError::Unsupported { hint })
}

/// What to tell a client that declared a content type which we do not take.
pub(super) fn hint_for_content_type(essence: &str) -> String {
    let name = match essence {
        "image/heic" | "image/heif" | "image/heic-sequence" | "image/heif-sequence" => "HEIC",
        "image/avif" => "AVIF",
        "image/gif" => "GIF",
        "image/svg+xml" => "SVG",
        "image/tiff" => "TIFF",
        "image/bmp" | "image/x-ms-bmp" => "BMP",
        "image/jxl" => "JPEG XL",
        "image/jpg" | "image/pjpeg" => {
            return "The content type of a JPEG is `image/jpeg`. Send it with that.".to_owned();
        }
        _ => {
            return "The Content-Type must be image/jpeg, image/png or image/webp. Send the picture's bytes as the body, not a form."
                .to_owned();
        }
    };
    hint_for_format(name)
}

/// What to tell a client that sent a format which we do not take.
fn hint_for_format(name: &str) -> String {
    let how = match name {
        "HEIC" => {
            "On an iPhone choose Settings > Camera > Formats > Most Compatible, or share the photo as a JPEG."
        }
        "SVG" | "PDF" => "Send a photograph as a JPEG, PNG or WebP.",
        "video" => "Send a single picture of it as a JPEG, PNG or WebP.",
        _ => "Convert it to JPEG, PNG or WebP and send that.",
    };
    format!("{name} files are not taken. {how}")
}

/// Tells a file's kind by its magic bytes.
fn kind(bytes: &[u8]) -> Kind {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Kind::Picture(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Kind::Picture(Format::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Kind::Picture(Format::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => by_brand([*a, *b, *c, *d]),
        [b'G', b'I', b'F', b'8', ..] => Kind::Other("GIF"),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Kind::Other("BMP"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Kind::Other("TIFF and raw"),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Kind::Other("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Kind::Other("JPEG 2000"),
        [b'8', b'B', b'P', b'S', ..] => Kind::Other("Photoshop"),
        [b'%', b'P', b'D', b'F', ..] => Kind::Other("PDF"),
        _ => by_text(bytes),
    }
}

/// Tells the kind of an ISO base media file (HEIC, AVIF, videos) by its major brand.
fn by_brand(brand: [u8; 4]) -> Kind {
    Kind::Other(match &brand {
        b"avif" | b"avis" => "AVIF",
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => "HEIC",
        b"crx " => "TIFF and raw",
        _ => "video",
    })
}

/// Tells an SVG picture, which is text with any amount of comment before its first element.
fn by_text(bytes: &[u8]) -> Kind {
    let head = bytes.get(..TEXT_PROBE).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let is_svg = text.starts_with('<') && (text.contains("<svg") || text.starts_with("<?xml"));
    if is_svg {
        Kind::Other("SVG")
    } else {
        Kind::Unknown
    }
}
