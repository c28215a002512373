//! Subjects, and what else is built from or read as text in the contract. The broker takes `*` and `>` in what is published
//! literally, so no subject may have one.

#![no_main]

use envelope::{ImageUrl, Subject, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(subject) = text.parse::<Subject>() {
        assert_eq!(subject.to_string(), text);
        assert_eq!(text.split('.').count(), 4);
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        );
    }
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string(), text);
    }
    if let Ok(url) = text.parse::<ImageUrl>() {
        assert_eq!(url.to_string().parse::<ImageUrl>().unwrap(), url);
    }
});
