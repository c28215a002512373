//! Facts about the intake of pictures.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::{Format, MAX_BYTES, Picture, PictureError, Size, check, check_kept};

mod hostile;

/// A real photograph of 1600 x 900 pixels.
const PHOTO: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../data/photos/eurasian-nuthatch.jpg"
));

const RED: [u8; 3] = [220, 20, 20];
const GREEN: [u8; 3] = [20, 220, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const GREY: [u8; 3] = [128, 128, 128];

/// All of the intake, as an upload goes through it.
fn intake(declared: Format, bytes: &[u8]) -> Result<Picture, PictureError> {
    check(declared, bytes)?.take_in(bytes)
}

fn encoded(picture: &DynamicImage, format: Format) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let format = match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
    };
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn photo(width: u32, height: u32) -> DynamicImage {
    image::load_from_memory(PHOTO).unwrap().resize_exact(
        width,
        height,
        image::imageops::FilterType::Triangle,
    )
}

fn sizes_of(picture: &Picture) -> Vec<(u32, u32)> {
    let decoded = picture
        .sizes
        .iter()
        .map(|(_, file)| image::load_from_memory_with_format(file, ImageFormat::Jpeg).unwrap());
    decoded.map(|file| (file.width(), file.height())).collect()
}

/// A picture with one colour in each corner: red and green above, blue and grey below.
fn four_corners() -> RgbImage {
    RgbImage::from_fn(160, 96, |x, y| {
        Rgb(match (x < 80, y < 48) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => GREY,
        })
    })
}

/// A JPEG with segments put in right after its start marker.
fn with_segments(jpeg: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut file = jpeg[..2].to_vec();
    for (marker, payload) in segments {
        let length = u16::try_from(payload.len() + 2).unwrap();
        file.extend([0xFF, *marker]);
        file.extend(length.to_be_bytes());
        file.extend(*payload);
    }
    file.extend(&jpeg[2..]);
    file
}

/// An EXIF segment's payload: the orientation, and a maker note with the given text.
fn exif(orientation: u8, note: &[u8; 12]) -> Vec<u8> {
    let mut payload = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    payload.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    payload.extend([0x92, 0x7C, 0, 7, 0, 0, 0, 12, 0, 0, 0, 38]);
    payload.extend([0, 0, 0, 0]);
    payload.extend(note);
    payload
}

fn unsupported_hint(result: Result<Picture, PictureError>) -> String {
    match result {
        Err(PictureError::Unsupported { hint }) => hint,
        other => panic!("unsupported expected, not {other:?}"),
    }
}

#[test]
fn a_photo_becomes_three_sizes_and_is_never_enlarged() {
    let picture = intake(Format::Jpeg, PHOTO).unwrap();
    assert_eq!((picture.width, picture.height), (1600, 900));
    assert_eq!(sizes_of(&picture), [(1600, 900), (1024, 576), (400, 225)]);
    assert_eq!(picture.sizes.map(|(size, _)| size), Size::ALL);
}

#[test]
fn a_large_picture_is_kept_at_2048_on_its_longest_edge() {
    let tall = photo(1000, 2500);
    let picture = intake(Format::Jpeg, &encoded(&tall, Format::Jpeg)).unwrap();
    assert_eq!((picture.width, picture.height), (819, 2048));
    assert_eq!(sizes_of(&picture), [(819, 2048), (410, 1024), (160, 400)]);
}

#[test]
fn a_small_picture_keeps_its_size_in_every_format_and_colour_type() {
    let small = photo(200, 100);
    let kinds = [
        small.clone(),
        DynamicImage::ImageLuma8(small.to_luma8()),
        DynamicImage::ImageLumaA8(small.to_luma_alpha8()),
        DynamicImage::ImageRgba8(small.to_rgba8()),
        DynamicImage::ImageRgb16(small.to_rgb16()),
        DynamicImage::ImageRgba16(small.to_rgba16()),
        DynamicImage::ImageLuma16(small.to_luma16()),
    ];
    for kind in kinds {
        let picture = intake(Format::Png, &encoded(&kind, Format::Png)).unwrap();
        assert_eq!(sizes_of(&picture), [(200, 100); 3], "{:?}", kind.color());
    }
    for format in [Format::Jpeg, Format::WebP] {
        let picture = intake(format, &encoded(&small, format)).unwrap();
        assert_eq!(sizes_of(&picture), [(200, 100); 3], "{format:?}");
    }
}

#[test]
fn every_orientation_is_turned_upright() {
    let stored = encoded(&four_corners().into(), Format::Jpeg);
    let upright = [
        (1, [RED, GREEN, BLUE, GREY]),
        (2, [GREEN, RED, GREY, BLUE]),
        (3, [GREY, BLUE, GREEN, RED]),
        (4, [BLUE, GREY, RED, GREEN]),
        (5, [RED, BLUE, GREEN, GREY]),
        (6, [BLUE, RED, GREY, GREEN]),
        (7, [GREY, GREEN, BLUE, RED]),
        (8, [GREEN, GREY, RED, BLUE]),
    ];
    for (orientation, corners) in upright {
        let file = with_segments(&stored, &[(0xE1, &exif(orientation, b"maker's note"))]);
        let picture = intake(Format::Jpeg, &file).unwrap();
        let turned = if orientation < 5 {
            (160, 96)
        } else {
            (96, 160)
        };
        assert_eq!((picture.width, picture.height), turned, "{orientation}");
        let (_, large) = &picture.sizes[0];
        let pixels = image::load_from_memory(large).unwrap().into_rgb8();
        let (right, bottom) = (turned.0 - 20, turned.1 - 20);
        let places = [(20, 20), (right, 20), (20, bottom), (right, bottom)];
        for ((x, y), expected) in places.into_iter().zip(corners) {
            let found = pixels.get_pixel(x, y).0;
            let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12);
            assert!(
                near,
                "{orientation}: {found:?} at {x}, {y}, not {expected:?}"
            );
        }
    }
}

#[test]
fn no_metadata_survives() {
    let secret = b"52.51N13.37E";
    let segments: [(u8, &[u8]); 5] = [
        (0xE1, &exif(1, secret)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>52.51N13.37E</x>"),
        (0xE2, b"ICC_PROFILE\0\x01\x0152.51N13.37E"),
        (0xED, b"Photoshop 3.0\x0052.51N13.37E"),
        (0xFE, b"52.51N13.37E"),
    ];
    let file = with_segments(PHOTO, &segments);
    let picture = intake(Format::Jpeg, &file).unwrap();
    for (size, kept) in &picture.sizes {
        let found = kept.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{size:?}");
        assert_eq!(application_segments(kept), [0xE0], "{size:?}");
    }
}

/// The markers of a JPEG's application and comment segments, up to its first scan.
fn application_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut markers = Vec::new();
    let mut at = 2;
    while jpeg[at + 1] != 0xDA {
        if matches!(jpeg[at + 1], 0xE0..=0xEF | 0xFE) {
            markers.push(jpeg[at + 1]);
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    markers
}

#[test]
fn transparent_parts_become_white() {
    let picture = RgbaImage::from_fn(128, 128, |x, _| {
        Rgba(if x < 64 { [0, 0, 0, 0] } else { [0, 0, 0, 255] })
    });
    for format in [Format::Png, Format::WebP] {
        let taken = intake(format, &encoded(&picture.clone().into(), format)).unwrap();
        let pixels = image::load_from_memory(&taken.sizes[0].1)
            .unwrap()
            .into_rgb8();
        assert!(pixels.get_pixel(16, 64).0.iter().all(|value| *value > 250));
        assert!(pixels.get_pixel(112, 64).0.iter().all(|value| *value < 5));
    }
}

#[test]
fn the_content_type_names_the_format() {
    for header in ["image/jpeg", "IMAGE/JPEG", "image/jpeg; charset=binary"] {
        assert_eq!(Format::from_content_type(header), Ok(Format::Jpeg));
    }
    assert_eq!(Format::from_content_type("image/png"), Ok(Format::Png));
    assert_eq!(Format::from_content_type("image/webp"), Ok(Format::WebP));
    for (header, word) in [
        ("image/heic", "iPhone"),
        ("image/gif", "GIF"),
        ("image/svg+xml", "SVG"),
        ("image/avif", "AVIF"),
        ("image/jpg", "image/jpeg"),
        ("multipart/form-data; boundary=x", "not a form"),
        ("", "image/webp"),
    ] {
        match Format::from_content_type(header) {
            Err(PictureError::Unsupported { hint }) => assert!(hint.contains(word), "{hint}"),
            other => panic!("{header}: {other:?}"),
        }
    }
}

#[test]
fn another_format_than_the_declared_one_is_named() {
    let hint = unsupported_hint(intake(Format::Png, PHOTO));
    assert_eq!(
        hint,
        "The Content-Type says image/png, but the file is image/jpeg. Send it with `Content-Type: image/jpeg`."
    );
    let others: [(&[u8], &str); 9] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "video"),
        (b"GIF89a\x01\0\x01\0", "GIF"),
        (
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
            "SVG",
        ),
        (b"\n<!-- drawn --><svg onload='alert(1)'/>", "SVG"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"%PDF-1.7", "PDF"),
        (b"<html><body>hello</body></html>", "not a picture"),
    ];
    for (bytes, word) in others {
        let hint = unsupported_hint(intake(Format::Jpeg, bytes));
        assert!(hint.contains(word), "{hint}");
    }
}

#[test]
fn sizes_out_of_bounds_are_refused() {
    assert_eq!(intake(Format::Jpeg, &[]), Err(PictureError::Empty));
    let mut heavy = PHOTO.to_vec();
    heavy.resize(MAX_BYTES + 1, 0);
    assert_eq!(
        intake(Format::Jpeg, &heavy),
        Err(PictureError::TooManyBytes)
    );

    let low = encoded(&photo(300, 63), Format::Png);
    let too_small = PictureError::TooSmall {
        width: 300,
        height: 63,
    };
    assert_eq!(intake(Format::Png, &low), Err(too_small));
    assert!(intake(Format::Png, &encoded(&photo(64, 64), Format::Png)).is_ok());
    let strip = intake(Format::Png, &encoded(&photo(4096, 100), Format::Png));
    assert!(matches!(strip, Err(PictureError::TooSmall { .. })));
}

#[test]
fn a_size_is_found_by_its_longest_edge() {
    for size in Size::ALL {
        assert_eq!(Size::from_longest_edge(size.longest_edge()), Some(size));
    }
    assert_eq!(Size::from_longest_edge(800), None);
}

#[test]
fn the_same_upload_gives_the_same_files() {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90)
        .encode_image(&photo(640, 360))
        .unwrap();
    assert_eq!(intake(Format::Jpeg, &jpeg), intake(Format::Jpeg, &jpeg));
}

#[test]
fn what_is_kept_here_can_be_kept_elsewhere_and_nothing_more() {
    let picture = intake(Format::Jpeg, PHOTO).unwrap();
    for (size, file) in &picture.sizes {
        assert_eq!(check_kept(*size, file), Ok(()));
    }
    let [(_, large), _, (small, file)] = &picture.sizes;
    assert!(check_kept(*small, large).is_err(), "it is too large");
    let told = with_segments(file, &[(0xE1, &exif(1, b"somewhere\0\0\0"))]);
    let commented = with_segments(file, &[(0xFE, b"by Ada")]);
    let longer = [file.as_slice(), b"appended"].concat();
    let cut = &file[..file.len() / 2];
    for bad in [&told, &commented, &longer, cut, b"<html>"] {
        assert!(check_kept(*small, bad).is_err());
    }
}
