//! An upload: its first byte says as what it is declared. What is taken in must be what an import takes: three JPEG files of their
//! sizes, which tell of no camera and no place.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../services/tick-api/src"]
mod tick_api {
    #[expect(
        dead_code,
        reason = "addresses and records of pictures are made elsewhere"
    )]
    pub(crate) mod picture;
}

use tick_api::picture::{Format, check, check_kept};

const DECLARED: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// In megabytes. Pictures that take longer say little more, and hours in which others could be tried.
const MOST_MEMORY: u32 = 1;

fuzz_target!(
    // A panic of a decoder costs its upload and nothing more, so it is caught and no crash; one of ours still is.
    init: { let _ = std::panic::take_hook(); },
    |bytes: &[u8]| {
        if let Some((declared, upload)) = bytes.split_first() {
            take_in(DECLARED[usize::from(*declared) % DECLARED.len()], upload);
        }
    }
);

fn take_in(content_type: &str, upload: &[u8]) {
    let format = Format::from_content_type(content_type).unwrap();
    let Ok(checked) = check(format, upload) else {
        return;
    };
    if checked.memory > MOST_MEMORY {
        return;
    }
    let Ok(picture) = checked.take_in(upload) else {
        return;
    };
    for (size, file) in picture.sizes {
        assert_eq!(check_kept(size, &file), Ok(()), "{size:?}");
    }
}
