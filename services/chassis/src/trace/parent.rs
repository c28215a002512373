//! A place in a trace as text, without what a running service does with it: the fuzz targets read it alone.

use std::fmt;
use std::str::FromStr;

/// A place in a trace, as the header `traceparent` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) flags: u8,
}

/// This is no `traceparent` of version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent is 00-TRACE-SPAN-FLAGS in lower-case hexadecimal digits")]
pub struct BadTraceParent;

impl TraceParent {
    /// Begins a trace.
    pub fn root() -> Self {
        Self {
            trace: rand::random_range(1..=u128::MAX),
            span: new_span(),
            flags: 1,
        }
    }

    /// The next place in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            span: new_span(),
            ..self
        }
    }
}

fn new_span() -> u64 {
    rand::random_range(1..=u64::MAX)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

impl FromStr for TraceParent {
    type Err = BadTraceParent;

    fn from_str(text: &str) -> Result<Self, BadTraceParent> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits);
            let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
            part.filter(|part| part.bytes().all(is_hex))
                .ok_or(BadTraceParent)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let is_last = parts.next().is_none();
        let hex = |_| BadTraceParent;
        let parent = Self {
            trace: u128::from_str_radix(trace, 16).map_err(hex)?,
            span: u64::from_str_radix(span, 16).map_err(hex)?,
            flags: u8::from_str_radix(flags, 16).map_err(hex)?,
        };
        if version != "00" || !is_last || parent.trace == 0 || parent.span == 0 {
            return Err(BadTraceParent);
        }
        Ok(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn it_reads_back_as_it_is_written() {
        let parent: TraceParent = EXAMPLE.parse().unwrap();
        assert_eq!(parent.to_string(), EXAMPLE);
        let child = parent.child().to_string();
        assert_eq!(child[..36], EXAMPLE[..36]);
        assert_ne!(child, EXAMPLE);
        assert_eq!(TraceParent::root().to_string().len(), EXAMPLE.len());
    }

    #[test]
    fn anything_else_is_refused() {
        let shouted = EXAMPLE.to_uppercase();
        let longer = format!("{EXAMPLE}-00");
        let no_trace = EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let other = EXAMPLE.replacen("00-", "01-", 1);
        for wrong in ["", "00", &shouted, &longer, &no_trace, &other, "00-ü"] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(BadTraceParent), "{wrong}");
        }
    }
}
