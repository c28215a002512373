//! Uploads that were cut off, are of no use, tell too much, or are made to do harm; each with the answer that it gets.

use image::ImageFormat::{Jpeg, Png, WebP};

use super::files::{
    PlainJpeg, black_png, empty_png, encoded, exif, exif_segment, grey_jpeg, png_chunk, webp,
    webp_canvas, webp_chunk, webp_frame, webp_pixels, with_png_chunks, with_segment, zeros,
};

/// What no answer and no store may hold.
pub const CANARY: &str = "canary-59.8586N-17.6389E";

/// What becomes of an upload.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It is kept, with this width and height.
    Kept(u32, u32),
    /// It is refused with this status, kind of problem, and words of what to do.
    Refused(u16, &'static str, &'static str),
}

use Fate::{Kept, Refused};

/// An upload.
pub struct Upload {
    /// What it is.
    pub name: &'static str,
    /// What it is said to be.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What becomes of it.
    pub fate: Fate,
}

const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";
const WEBP: &str = "image/webp";

const TOO_MANY: Fate = Refused(422, "too-many-pixels", "Scale it down");
const TOO_MUCH: Fate = Refused(422, "too-many-pixels", "takes too much memory");
const CUT_OFF: Fate = Refused(422, "picture-cut-off", "Send the whole file again");
const DAMAGED: Fate = Refused(422, "picture-damaged", "save it again");
const TOO_SMALL: Fate = Refused(422, "picture-too-small", "At least 64 x 64");
const SMALL: Fate = Kept(160, 96);
const SQUARE: Fate = Kept(64, 64);

fn of_another_type(hint: &'static str) -> Fate {
    Refused(415, "unsupported-media-type", hint)
}

type Case = (&'static str, &'static str, Vec<u8>, Fate);

/// All of them.
pub fn all() -> Vec<Upload> {
    let cases = [
        bombs(),
        cut_off(),
        rare_variants(),
        animated(),
        polyglots(),
        wrong_types(),
        odd_sizes(),
        canaries(),
        orientations(),
    ];
    let cases = cases.into_iter().flatten();
    cases
        .map(|(name, content_type, bytes, fate)| Upload {
            name,
            content_type,
            bytes,
            fate,
        })
        .collect()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn bombs() -> Vec<Case> {
    let jpeg = |frame, size| PlainJpeg {
        size,
        ..PlainJpeg::new(frame, 3)
    };
    let canvas = webp(&[webp_canvas(0, (16_384, 16_384)), webp_pixels()]);
    let animation = [
        webp_canvas(2, (5_000, 5_000)),
        webp_chunk(b"ANIM", &[0; 6]),
        webp_frame(),
    ];
    let text = [b"Comment\0\0", zeros(200_000_000).as_slice()].concat();
    vec![
        ("PNG of 400 MP", PNG, empty_png((20_000, 20_000)), TOO_MANY),
        (
            "PNG of the largest size",
            PNG,
            empty_png((0x7FFF_FFFF, 0x7FFF_FFFF)),
            TOO_MANY,
        ),
        (
            "PNG with an edge too long",
            PNG,
            empty_png((16_385, 64)),
            TOO_MANY,
        ),
        (
            "PNG of 49 MP with 16 bits and alpha",
            PNG,
            black_png((7_000, 7_000), 16, 6),
            TOO_MUCH,
        ),
        (
            "PNG of 49 MP with alpha",
            PNG,
            black_png((7_000, 7_000), 8, 6),
            TOO_MUCH,
        ),
        (
            "PNG of 49 MP in 48 kB",
            PNG,
            black_png((7_000, 7_000), 8, 2),
            Kept(2048, 2048),
        ),
        (
            "PNG with a text of 200 MB",
            PNG,
            with_png_chunks(&[png_chunk(b"zTXt", &text)]),
            SMALL,
        ),
        (
            "JPEG of 4 GP",
            JPEG,
            jpeg(0xC0, (65_535, 65_535)).file(),
            TOO_MANY,
        ),
        (
            "JPEG of 49 MP with next to no data",
            JPEG,
            jpeg(0xC0, (7_000, 7_000)).file(),
            Kept(2048, 2048),
        ),
        (
            "progressive JPEG of 49 MP",
            JPEG,
            jpeg(0xC2, (7_000, 7_000)).file(),
            TOO_MUCH,
        ),
        ("WebP with a canvas of 268 MP", WEBP, canvas, TOO_MANY),
        (
            "WebP animation with a canvas of 25 MP",
            WEBP,
            webp(&animation),
            TOO_MUCH,
        ),
    ]
}

fn cut_off() -> Vec<Case> {
    let half = |file: Vec<u8>| file[..file.len() / 2].to_vec();
    let whole = encoded(Jpeg);
    vec![
        ("half a JPEG", JPEG, half(encoded(Jpeg)), CUT_OFF),
        ("half a PNG", PNG, half(encoded(Png)), CUT_OFF),
        ("half a WebP", WEBP, half(encoded(WebP)), CUT_OFF),
        (
            "JPEG without its end",
            JPEG,
            whole[..whole.len() - 2].to_vec(),
            CUT_OFF,
        ),
        (
            "the beginning of a JPEG",
            JPEG,
            whole[..12].to_vec(),
            CUT_OFF,
        ),
        (
            "the beginning of a PNG",
            PNG,
            encoded(Png)[..8].to_vec(),
            CUT_OFF,
        ),
    ]
}

fn rare_variants() -> Vec<Case> {
    let plain = PlainJpeg::new;
    let deep = PlainJpeg {
        depth: 12,
        ..plain(0xC1, 3)
    };
    vec![
        (
            "JPEG of a print shop, CMYK",
            JPEG,
            plain(0xC0, 4).adobe_file(0),
            SQUARE,
        ),
        (
            "JPEG of a print shop, YCCK",
            JPEG,
            plain(0xC0, 4).adobe_file(2),
            SQUARE,
        ),
        ("grey JPEG", JPEG, grey_jpeg(), SMALL),
        ("JPEG with 12 bits", JPEG, deep.file(), DAMAGED),
        ("lossless JPEG", JPEG, plain(0xC3, 3).file(), DAMAGED),
        ("arithmetic JPEG", JPEG, plain(0xC9, 3).file(), DAMAGED),
        (
            "PNG with 16 bits",
            PNG,
            black_png((80, 70), 16, 2),
            Kept(80, 70),
        ),
        (
            "PNG with 16 bits and alpha",
            PNG,
            black_png((80, 70), 16, 6),
            Kept(80, 70),
        ),
        (
            "grey PNG with 16 bits and alpha",
            PNG,
            black_png((80, 70), 16, 4),
            Kept(80, 70),
        ),
        (
            "PNG with a palette",
            PNG,
            black_png((80, 70), 8, 3),
            Kept(80, 70),
        ),
    ]
}

fn animated() -> Vec<Case> {
    let control = png_chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
    let size = [160_u32, 96].map(u32::to_be_bytes).concat();
    let frame = [&[0; 4], size.as_slice(), &[0; 8], &[0, 1, 0, 10, 0, 0]].concat();
    let apng = with_png_chunks(&[control, png_chunk(b"fcTL", &frame)]);
    let animation = [
        webp_canvas(2, (160, 96)),
        webp_chunk(b"ANIM", &[0; 6]),
        webp_frame(),
        webp_frame(),
    ];
    let gif = b"GIF89a\x40\0\x40\0\0\0\0;".to_vec();
    vec![
        ("animated PNG", PNG, apng, SMALL),
        ("animated WebP", WEBP, webp(&animation), SMALL),
        (
            "GIF",
            "image/gif",
            gif,
            of_another_type("GIF files are not taken"),
        ),
    ]
}

fn polyglots() -> Vec<Case> {
    let script = format!("<script>alert('{CANARY}')</script>");
    let trailed = |format| [encoded(format), script.clone().into_bytes()].concat();
    let page = [b"<html>", script.as_bytes(), &encoded(Jpeg)].concat();
    let archive = [encoded(Jpeg), format!("PK\x03\x04{CANARY}").into_bytes()].concat();
    let pdf = [&b"%PDF-1.7\n"[..], &encoded(Jpeg)].concat();
    let gifar = b"GIF89a/*\x40\0*/=1;alert(1)".to_vec();
    let drawn = format!("<svg xmlns='http://www.w3.org/2000/svg'>{script}</svg>").into_bytes();
    vec![
        ("JPEG and a page", JPEG, trailed(Jpeg), SMALL),
        ("PNG and a page", PNG, trailed(Png), SMALL),
        ("WebP and a page", WEBP, trailed(WebP), SMALL),
        ("JPEG and an archive", JPEG, archive, SMALL),
        (
            "page and a JPEG",
            JPEG,
            page,
            of_another_type("not a picture that we know"),
        ),
        (
            "PDF and a JPEG",
            JPEG,
            pdf,
            of_another_type("PDF files are not taken"),
        ),
        (
            "GIF and a script",
            JPEG,
            gifar,
            of_another_type("GIF files are not taken"),
        ),
        (
            "SVG with a script",
            PNG,
            drawn,
            of_another_type("SVG files are not taken"),
        ),
    ]
}

fn wrong_types() -> Vec<Case> {
    let boxed = |brand: &str| format!("\0\0\0\x18ftyp{brand}\0\0\0\0mif1").into_bytes();
    let tiff = b"II*\0\x08\0\0\0".to_vec();
    let most_compatible = of_another_type("Most Compatible");
    vec![
        ("HEIC", "image/heic", boxed("heic"), most_compatible),
        (
            "HEIC that is called a JPEG",
            JPEG,
            boxed("heic"),
            most_compatible,
        ),
        (
            "AVIF",
            "image/avif",
            boxed("avif"),
            of_another_type("AVIF files are not taken"),
        ),
        (
            "video",
            JPEG,
            boxed("isom"),
            of_another_type("a single picture of it"),
        ),
        (
            "TIFF",
            JPEG,
            tiff,
            of_another_type("Convert it to JPEG, PNG or WebP"),
        ),
        (
            "PNG that is called a JPEG",
            JPEG,
            encoded(Png),
            of_another_type("`Content-Type: image/png`"),
        ),
        (
            "form",
            "multipart/form-data; boundary=x",
            encoded(Jpeg),
            of_another_type("not a form"),
        ),
        (
            "text",
            "text/html",
            b"<p>".to_vec(),
            of_another_type("must be image/jpeg"),
        ),
    ]
}

fn odd_sizes() -> Vec<Case> {
    let heavy = [encoded(Jpeg), vec![0; 20_000_001]].concat();
    let too_large = Refused(413, "too-large", "20000000 bytes");
    vec![
        (
            "nothing",
            JPEG,
            Vec::new(),
            Refused(422, "empty-picture", "bytes as the body"),
        ),
        ("20 MB and more", JPEG, heavy, too_large),
        ("PNG without pixels", PNG, empty_png((0, 0)), DAMAGED),
        ("PNG of one pixel", PNG, black_png((1, 1), 8, 2), TOO_SMALL),
        (
            "PNG like a thread",
            PNG,
            black_png((16_000, 64), 8, 2),
            TOO_SMALL,
        ),
        (
            "PNG with a part of its data",
            PNG,
            empty_png((100, 100)),
            DAMAGED,
        ),
    ]
}

fn canaries() -> Vec<Case> {
    let jpeg = |marker, before: &[u8]| {
        with_segment(
            &encoded(Jpeg),
            marker,
            &[before, CANARY.as_bytes()].concat(),
        )
    };
    let png = |kind: &[u8; 4], before: &[u8]| {
        with_png_chunks(&[png_chunk(kind, &[before, CANARY.as_bytes()].concat())])
    };
    let told = with_segment(&encoded(Jpeg), 0xE1, &exif_segment(1, CANARY));
    let chunks = webp(&[
        webp_canvas(0x2C, (160, 96)),
        webp_chunk(b"ICCP", CANARY.as_bytes()),
        webp_pixels(),
        webp_chunk(b"EXIF", &exif(1, CANARY)),
        webp_chunk(b"XMP ", CANARY.as_bytes()),
    ]);
    vec![
        ("JPEG with EXIF", JPEG, told, SMALL),
        (
            "JPEG with XMP",
            JPEG,
            jpeg(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
            SMALL,
        ),
        (
            "JPEG with a colour profile",
            JPEG,
            jpeg(0xE2, b"ICC_PROFILE\0\x01\x01"),
            SMALL,
        ),
        (
            "JPEG with IPTC",
            JPEG,
            jpeg(0xED, b"Photoshop 3.0\0"),
            SMALL,
        ),
        ("JPEG with a comment", JPEG, jpeg(0xFE, b""), SMALL),
        ("PNG with a text", PNG, png(b"tEXt", b"Comment\0"), SMALL),
        (
            "PNG with XMP",
            PNG,
            png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0"),
            SMALL,
        ),
        (
            "PNG with EXIF",
            PNG,
            with_png_chunks(&[png_chunk(b"eXIf", &exif(1, CANARY))]),
            SMALL,
        ),
        ("PNG with a chunk of its own", PNG, png(b"biRd", b""), SMALL),
        ("WebP with all of them", WEBP, chunks, SMALL),
    ]
}

fn orientations() -> Vec<Case> {
    const NAMES: [&str; 8] = [
        "upright JPEG",
        "mirrored JPEG",
        "JPEG upside down",
        "mirrored JPEG upside down",
        "mirrored JPEG on its left side",
        "JPEG on its left side",
        "mirrored JPEG on its right side",
        "JPEG on its right side",
    ];
    let turned = NAMES.into_iter().zip(1..).map(|(name, orientation)| {
        let file = with_segment(&encoded(Jpeg), 0xE1, &exif_segment(orientation, CANARY));
        let fate = if orientation < 5 {
            SMALL
        } else {
            Kept(96, 160)
        };
        (name, JPEG, file, fate)
    });
    turned.collect()
}
