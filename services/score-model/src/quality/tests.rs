//! Facts about scores, on a real photograph and on altered versions of it.

use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

use super::{MODEL, Parts, QualityError, Score, is_newer_than, score};

/// A real photograph of 1600 x 900 pixels: a nuthatch before a blurred background.
const PHOTO: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../data/photos/eurasian-nuthatch.jpg"
));

/// The quality at which pictures are kept.
const KEPT: u8 = 82;

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode_image(picture)
        .unwrap();
    file
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory(jpeg).unwrap().into_rgb8()
}

/// The score of a picture as it is kept.
fn judged(picture: &RgbImage) -> Score {
    score(&jpeg(picture, KEPT)).unwrap()
}

/// The photo and three crops with the bird in them, none on the photo's grid of JPEG blocks.
fn photos() -> Vec<(&'static str, RgbImage)> {
    let whole = decoded(PHOTO);
    let crop = |x, y, width, height| imageops::crop_imm(&whole, x, y, width, height).to_image();
    vec![
        ("centre", crop(403, 101, 797, 699)),
        ("left", crop(3, 5, 997, 890)),
        ("upper", crop(205, 3, 1101, 700)),
        ("whole", whole),
    ]
}

/// Checks that each step of an alteration, from the photo on, costs something: Spearman's rank correlation of step and score is -1.
fn falls<T: Copy + std::fmt::Debug>(steps: &[T], alter: impl Fn(&RgbImage, T) -> RgbImage) {
    for (name, photo) in photos() {
        let mut before = judged(&photo).value;
        for &step in steps {
            let score = judged(&alter(&photo, step));
            assert!(
                score.value < before,
                "{name}, {step:?}: {before}, {score:?}"
            );
            before = score.value;
        }
    }
}

/// The photo with each channel changed by a function.
fn mapped(photo: &RgbImage, change: impl FnMut(f32) -> f32) -> RgbImage {
    let mut picture = photo.clone();
    let changed: Vec<f32> = photo.iter().copied().map(f32::from).map(change).collect();
    for (value, changed) in picture.iter_mut().zip(changed) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range of the type"
        )]
        let byte = changed.round().clamp(0.0, 255.0) as u8;
        *value = byte;
    }
    picture
}

/// Numbers with a mean of 0 and a standard deviation of 1, nearly normal, always the same.
fn noise() -> impl FnMut() -> f32 {
    let mut state = 2025_u32;
    move || {
        let mut sum = 0.0;
        for _ in 0..12 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [high, low, ..] = state.to_be_bytes();
            sum += f32::from(u16::from_be_bytes([high, low])) / 65_536.0;
        }
        sum - 6.0
    }
}

#[test]
fn the_score_falls_with_blur() {
    falls(&[0.8, 1.2, 2.0, 3.0, 5.0, 8.0], imageops::blur);
}

#[test]
fn the_score_falls_with_noise() {
    falls(&[4.0, 8.0, 12.0, 18.0, 26.0, 40.0], |photo, strength| {
        let mut noise = noise();
        mapped(photo, |value| value + strength * noise())
    });
}

#[test]
fn the_score_falls_with_jpeg_compression() {
    falls(&[60, 40, 20, 10, 5], |photo, quality| {
        decoded(&jpeg(photo, quality))
    });
}

#[test]
fn the_score_falls_with_under_exposure() {
    falls(&[0.7, 0.5, 0.35, 0.2, 0.1], |photo, light| {
        mapped(photo, |value| value * light)
    });
}

#[test]
fn the_score_falls_with_over_exposure() {
    falls(&[1.25, 1.5, 1.8, 2.2, 2.8, 3.5], |photo, light| {
        mapped(photo, |value| value * light)
    });
}

#[test]
fn the_score_falls_with_contrast() {
    falls(&[0.7, 0.5, 0.35, 0.2, 0.1], |photo, contrast| {
        mapped(photo, |value| 128.0 + (value - 128.0) * contrast)
    });
}

#[test]
fn the_score_falls_with_size() {
    falls(&[80, 60, 45, 30, 20], |photo, percent| {
        let (width, height) = photo.dimensions();
        let size = (width * percent / 100, height * percent / 100);
        imageops::resize(photo, size.0, size.1, imageops::FilterType::Lanczos3)
    });
}

#[test]
fn a_sharp_bird_before_a_blurred_background_is_sharp() {
    let bird = score(PHOTO).unwrap();
    assert!(bird.value > 3.8, "{bird:?}");
    assert!(bird.parts.sharpness > 0.7, "{bird:?}");
    let background = imageops::crop_imm(&decoded(PHOTO), 1100, 0, 500, 900).to_image();
    let background = judged(&background);
    assert!(background.value < bird.value - 1.0, "{background:?}");
}

#[test]
fn reasons_name_what_is_wrong_first() {
    let photo = decoded(PHOTO);
    let blurred = judged(&imageops::blur(&photo, 8.0));
    let faults = ["fine detail is missing", "blurred or out of focus"];
    assert!(faults.contains(&blurred.reasons[0].as_str()), "{blurred:?}");
    let dark = judged(&mapped(&photo, |value| value * 0.1));
    assert!(
        dark.reasons
            .iter()
            .any(|reason| reason == "far too dark or too bright")
    );
    let blocks = judged(&decoded(&jpeg(&photo, 5)));
    assert_eq!(blocks.reasons[0], "strong compression blocks", "{blocks:?}");
    let mut noise = noise();
    let grainy = judged(&mapped(&photo, |value| value + 40.0 * noise()));
    assert!(grainy.reasons.iter().any(|reason| reason == "very noisy"));
}

#[test]
fn every_score_is_within_bounds_and_explained() {
    let plain = |value| RgbImage::from_pixel(300, 200, image::Rgb([value; 3]));
    let stripes = RgbImage::from_fn(64, 64, |x, _| {
        image::Rgb([if x % 2 == 0 { 0 } else { 255 }; 3])
    });
    let strip = imageops::crop_imm(&decoded(PHOTO), 0, 300, 1600, 64).to_image();
    for picture in [
        plain(0),
        plain(128),
        plain(255),
        stripes,
        strip,
        decoded(PHOTO),
    ] {
        let Score {
            value,
            reasons,
            parts,
        } = judged(&picture);
        assert!((1.0..=5.0).contains(&value), "{value}");
        let hundredths = value * 100.0;
        assert!((hundredths - hundredths.round()).abs() < 1e-9, "{value}");
        assert!((2..=4).contains(&reasons.len()), "{reasons:?}");
        for part in all(&parts) {
            assert!((0.0..=1.0).contains(&part), "{parts:?}");
        }
    }
}

fn all(parts: &Parts) -> [f64; 8] {
    [
        parts.sharpness,
        parts.acuity,
        parts.cleanness,
        parts.smoothness,
        parts.exposure,
        parts.contrast,
        parts.colour,
        parts.resolution,
    ]
}

#[test]
fn the_same_file_always_gets_the_same_score() {
    assert_eq!(score(PHOTO), score(PHOTO));
}

#[test]
fn what_cannot_be_judged_is_refused() {
    assert_eq!(score(b""), Err(QualityError::Unreadable));
    assert_eq!(score(b"not a picture"), Err(QualityError::Unreadable));
    assert_eq!(score(&PHOTO[..400]), Err(QualityError::Unreadable));
    let small = RgbImage::new(80, 63);
    let too_small = QualityError::OutOfBounds {
        width: 80,
        height: 63,
    };
    assert_eq!(score(&jpeg(&small, KEPT)), Err(too_small));
}

/// Other tests of ours are done by then.
const QUIET_WITHIN: Duration = Duration::from_secs(30);

/// What it takes to decode the large picture on the machine that the aims are stated for.
const DECODED_IN: Duration = Duration::from_millis(150);

/// The processor time that some work takes, in which no other program's work counts.
fn time_of<T>(work: impl FnOnce() -> T) -> Duration {
    let spent = || {
        let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
    };
    let before = spent();
    drop(work());
    spent().checked_sub(before).unwrap()
}

#[test]
fn a_picture_is_decoded_and_judged_in_time() {
    let photo = decoded(PHOTO);
    let large = imageops::resize(&photo, 5472, 3648, imageops::FilterType::Triangle);
    let large = jpeg(&large, 90);
    for (picture, aim) in [(PHOTO, 60), (&large, 400)] {
        let aim = Duration::from_millis(aim);
        // Others that share the core and its caches slow it down: what it takes shows when they pause.
        let began = Instant::now();
        let (mut judged, mut yardstick) = (Duration::MAX, Duration::MAX);
        loop {
            judged = judged.min(time_of(|| score(picture).unwrap()));
            yardstick = yardstick.min(time_of(|| decoded(&large)));
            // A slower machine takes as much longer for both.
            let slowness = yardstick.div_duration_f64(DECODED_IN).max(1.0);
            if judged < aim.mul_f64(slowness) {
                break;
            }
            let waited = began.elapsed();
            assert!(
                waited < QUIET_WITHIN,
                "{judged:?}, not {aim:?}, on a machine {slowness:.2} times as slow"
            );
        }
    }
}

#[test]
fn a_picture_is_judged_as_it_is_kept_whatever_its_size_and_format() {
    let photo = decoded(PHOTO);
    let large = imageops::resize(&photo, 4000, 2250, imageops::FilterType::CatmullRom);
    let kept = imageops::resize(&photo, 2048, 1152, imageops::FilterType::CatmullRom);
    let difference = judged(&large).value - judged(&kept).value;
    assert!(difference.abs() < 0.3, "{difference}");
    let mut png = std::io::Cursor::new(Vec::new());
    photo.write_to(&mut png, image::ImageFormat::Png).unwrap();
    assert_eq!(score(&png.into_inner()), score(PHOTO));
}

#[test]
fn a_model_is_newer_than_lower_versions_and_than_models_without_one() {
    assert_eq!(MODEL, "niqa-1");
    for older in [None, Some("niqa-0"), Some("eye")] {
        assert!(is_newer_than(older), "{older:?}");
    }
    for newer in ["niqa-1", "niqa-2", "niqa-10"] {
        assert!(!is_newer_than(Some(newer)), "{newer}");
    }
}
