//! What comes in the headers of a request, a line each: tokens, cookies, and where it is in a trace.

#![no_main]

use axum::http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;

#[path = "../../services/chassis/src/trace/parent.rs"]
#[expect(dead_code, reason = "nothing is traced here")]
mod parent;
#[path = "../../services/clients/src/token.rs"]
mod token;

use parent::TraceParent;

const COOKIE: &str = "__Host-session";

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(4) {
        let (name, value) = match line.strip_prefix(b"Cookie: ") {
            Some(value) => (header::COOKIE, value),
            None => (header::AUTHORIZATION, line),
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
        trace(line);
    }
    bearer(&headers);
    cookie(&headers);
});

/// There is a token only if there is one header for it, and others know it by its hash alone.
fn bearer(headers: &HeaderMap) {
    let Ok(Some(token)) = token::bearer(headers) else {
        return;
    };
    assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1);
    assert_eq!(token, token.trim());
    let is_text = |byte: u8| (b' '..0x7f).contains(&byte) || byte == b'\t';
    assert!(token.bytes().all(is_text));
    let hash = token::token_hash(token);
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

/// What one cookie holds never reaches into the next.
fn cookie(headers: &HeaderMap) {
    if let Ok(Some(value)) = token::cookie(headers, COOKIE) {
        assert!(!value.contains(';'));
        assert_eq!(value, value.trim_end());
    }
}

fn trace(line: &[u8]) {
    let text = std::str::from_utf8(line).ok();
    if let Some(place) = text.and_then(|text| text.parse::<TraceParent>().ok()) {
        assert_eq!(place.to_string().as_bytes(), line);
    }
}
