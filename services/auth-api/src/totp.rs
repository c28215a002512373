//! Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, six digits, thirty seconds.

use chassis::clock::Clock;
use hmac::{Hmac, KeyInit as _, Mac as _};
use qrcodegen::{QrCode, QrCodeEcc};
use sha1::Sha1;

const SECRET_BYTES: usize = 20;
const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;
const SECONDS: i64 = 30;
/// Clocks differ, and typing takes time: the code before and the one after are taken, too.
const DRIFT: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// What scanners need around the modules (ISO 18004).
const QUIET: i32 = 4;

/// What an app and we share.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// A new one of 160 random bits, as RFC 4226 recommends.
    pub(crate) fn new(clock: &Clock) -> Self {
        let mut bytes = hex::decode(clock.secret()).unwrap_or_default();
        bytes.truncate(SECRET_BYTES);
        Self(bytes)
    }

    /// One that was kept.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be kept.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For typing it in.
    pub(crate) fn base32(&self) -> String {
        let bits = self
            .0
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        let bits: Vec<u8> = bits.collect();
        let digit = |five: &[u8]| {
            let value = five
                .iter()
                .fold(0, |value, bit| value << 1 | usize::from(*bit));
            BASE32
                .get(value << (5 - five.len()))
                .copied()
                .map(char::from)
        };
        bits.chunks(5).filter_map(digit).collect()
    }

    /// For opening it in an app. It names nobody: here no address is known.
    pub(crate) fn uri(&self) -> String {
        format!(
            "otpauth://totp/Dipper?secret={}&issuer=Dipper",
            self.base32()
        )
    }

    /// The step of time whose code this is, if it is about now.
    pub(crate) fn step_of(&self, code: &str, seconds: i64) -> Option<i64> {
        if code.len() != DIGITS || !code.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let (code, now): (u32, i64) = (code.parse().ok()?, seconds.div_euclid(SECONDS));
        (now - DRIFT..=now + DRIFT).find(|step| self.code(*step) == Some(code))
    }

    fn code(&self, step: i64) -> Option<u32> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest.last()? & 0xf);
        let (four, _) = digest.get(at..)?.split_first_chunk()?;
        Some((u32::from_be_bytes(*four) & 0x7fff_ffff) % CODES)
    }
}

/// A text as a QR code, in SVG.
pub(crate) fn qr(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let places = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let modules: Vec<String> = places
        .filter(|(x, y)| code.get_module(*x, *y))
        .map(|(x, y)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET))
        .collect();
    let modules = modules.concat();
    let size = code.size() + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
        <path fill=\"#fff\" d=\"M0,0h{size}v{size}h-{size}z\"/><path d=\"{modules}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B.
    fn of_the_rfc() -> Secret {
        Secret::from_bytes(b"12345678901234567890".to_vec())
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(
                of_the_rfc().code(seconds / SECONDS),
                Some(code),
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_code_is_good_for_its_half_minute_and_the_ones_around_it() {
        let secret = of_the_rfc();
        for (seconds, step) in [
            (59 - 60, None),
            (29, Some(1)),
            (59, Some(1)),
            (89, Some(1)),
            (90, None),
        ] {
            assert_eq!(secret.step_of("287082", seconds), step, "{seconds}");
        }
        for bad in ["", "28708", "2870820", "+87082", " 287082", "２８７０８２"] {
            assert_eq!(secret.step_of(bad, 59), None, "{bad:?}");
        }
    }

    #[test]
    fn the_secret_is_written_as_apps_read_it() {
        assert_eq!(of_the_rfc().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Secret::from_bytes(b"foob".to_vec()).base32(), "MZXW6YQ");
        let made = Secret::new(&Clock::default());
        assert_eq!(made.base32().len(), 32);
        let uri = made.uri();
        assert!(uri.starts_with("otpauth://totp/Dipper?secret="), "{uri}");
        assert!(qr(&uri).is_some_and(|svg| svg.starts_with("<svg") && svg.contains("h1v1h-1z")));
    }
}
