//! Uploads that are cut off, damaged or made to do harm.

use super::{Format, PHOTO, PictureError, encoded, exif, intake, photo, with_segments};

const FORMATS: [Format; 3] = [Format::Jpeg, Format::Png, Format::WebP];

/// A small, fast and repeatable source of numbers (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// Damages a file in one of the ways that transfers, disks and attackers do.
fn mutate(file: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(file.len());
    // Most damage goes into the header, where it does most.
    let near = if numbers.below(2) == 0 {
        at
    } else {
        at % 700.min(file.len())
    };
    match numbers.below(6) {
        0 => file[near] = numbers.byte(),
        1 => file[near] ^= 1 << numbers.below(8),
        2 => file.truncate(at.max(1)),
        3 => {
            let end = (near + 1 + numbers.below(64)).min(file.len());
            file.drain(near..end);
            file.push(0);
        }
        4 => {
            let end = (near + numbers.below(64)).min(file.len());
            let copy = file[near..end].to_vec();
            file.splice(at..at, copy);
        }
        _ => {
            let end = (near + numbers.below(16)).min(file.len());
            file[near..end].fill(if numbers.below(2) == 0 { 0xFF } else { 0 });
        }
    }
}

#[test]
fn damaged_files_of_every_format_never_panic() {
    let mut numbers = Numbers(2025);
    for format in FORMATS {
        let sound = encoded(&photo(160, 90), format);
        for _ in 0..120 {
            let mut file = sound.clone();
            for _ in 0..=numbers.below(4) {
                mutate(&mut file, &mut numbers);
            }
            // Whatever comes out is fine as long as it is an answer, and one that can be shown.
            if let Err(error) = intake(format, &file) {
                assert!(!error.to_string().is_empty());
                assert_ne!(error, PictureError::NotProcessed);
            }
        }
    }
}

#[test]
fn the_damaged_photo_never_panics() {
    let mut numbers = Numbers(11_131);
    for _ in 0..24 {
        let mut file = PHOTO.to_vec();
        for _ in 0..3 {
            mutate(&mut file, &mut numbers);
        }
        assert_ne!(intake(Format::Jpeg, &file), Err(PictureError::NotProcessed));
    }
}

#[test]
fn bytes_of_chance_behind_a_right_beginning_never_panic() {
    let mut numbers = Numbers(7);
    for format in FORMATS {
        let sound = encoded(&photo(64, 64), format);
        for _ in 0..100 {
            let length = numbers.below(400);
            let mut file = sound[..12 + numbers.below(40)].to_vec();
            file.extend((0..length).map(|_| numbers.byte()));
            assert!(intake(format, &file).is_err());
        }
    }
}

#[test]
fn files_that_were_cut_off_are_refused() {
    for format in FORMATS {
        let whole = encoded(&photo(320, 180), format);
        for part in 1..40 {
            let cut = &whole[..(whole.len() * part / 40).max(16)];
            assert_eq!(intake(format, cut), Err(PictureError::CutOff), "{format:?}");
        }
        let all_but_one = &whole[..whole.len() - 1];
        assert_eq!(intake(format, all_but_one), Err(PictureError::CutOff));
    }
    let half = &PHOTO[..PHOTO.len() / 2];
    assert_eq!(intake(Format::Jpeg, half), Err(PictureError::CutOff));
}

#[test]
fn the_end_of_a_thumbnail_is_not_the_end_of_the_picture() {
    let thumbnail = encoded(&photo(64, 64), Format::Jpeg);
    let mut payload = exif(1, b"maker's note");
    payload.extend(&thumbnail);
    let mut file = with_segments(PHOTO, &[(0xE1, &payload)]);
    assert!(intake(Format::Jpeg, &file).is_ok());
    file.truncate(file.len() - 2);
    assert_eq!(intake(Format::Jpeg, &file), Err(PictureError::CutOff));
}

#[test]
fn bytes_behind_the_end_are_dropped() {
    for format in FORMATS {
        let mut file = encoded(&photo(100, 80), format);
        let plain = intake(format, &file).unwrap();
        file.extend(b"a phone's trailer");
        assert_eq!(intake(format, &file), Ok(plain), "{format:?}");
    }
}

/// A PNG whose header states a size that its few bytes of data cannot have.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = encoded(&photo(64, 64), Format::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&checksum.to_be_bytes());
    file
}

/// The checksum of PNG chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

/// A JPEG whose header states another size than its data has.
fn jpeg_bomb(width: u16, height: u16) -> Vec<u8> {
    let mut file = encoded(&photo(64, 64), Format::Jpeg);
    let frame = file
        .windows(2)
        .position(|window| window == [0xFF, 0xC0])
        .unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn bombs_are_refused_by_their_header() {
    let refused = Err(PictureError::TooManyPixels);
    for (width, height) in [
        (20_000, 20_000),
        (8_000, 6_251),
        (64, 16_385),
        (400_000, 64),
    ] {
        assert_eq!(intake(Format::Png, &png_bomb(width, height)), refused);
    }
    for (width, height) in [(65_535, 65_535), (8_000, 6_251), (65_535, 64)] {
        assert_eq!(intake(Format::Jpeg, &jpeg_bomb(width, height)), refused);
    }
}
