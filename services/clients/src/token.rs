//! Tokens as the headers of requests carry them. Pure, as anybody may send such headers: the fuzz targets read it alone.

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

/// Why the headers of a request that is said to hold a token hold none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// There are two `Authorization` headers.
    TwoHeaders,
    /// There are two cookies of the name.
    TwoCookies,
    /// It is another scheme, or no text.
    Other,
}

/// The token in the `Authorization` header; nothing where there is no such header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NoToken> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(NoToken::TwoHeaders);
    }
    let text = value.to_str().map_err(|_| NoToken::Other)?;
    let (scheme, token) = text.split_once(' ').ok_or(NoToken::Other)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::Other);
    }
    Ok(Some(token.trim()))
}

/// What the cookie of a name holds; nothing where there is no such cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, NoToken> {
    let texts = headers.get_all(header::COOKIE).iter();
    let pairs = texts
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter_map(|(key, value)| (key == name).then_some(value));
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        // Which of both is the browser's own nobody can tell.
        (_, Some(_)) => Err(NoToken::TwoCookies),
    }
}

/// What services and databases know of a token: its SHA-256. A token has 256 random bits, so a
/// plain hash cannot be searched back.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
