//! The trace header lines which the catcher puts before a mail: who sent it to whom, and when it came.

use std::fmt;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};

/// No trace is longer: two addresses of at most [`crate::smtp::ADDRESS_LIMIT`] bytes and a date.
pub(crate) const TRACE_LIMIT: usize = 1024;

/// What the SMTP envelope said, which the mail's own header need not repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) received_at: DateTime<Utc>,
}

impl Trace {
    /// The trace of a mail that comes in now, to the microsecond: the finest that the header line keeps.
    pub(crate) fn now(sender: &str, recipient: &str) -> Self {
        let received_at = Utc::now().trunc_subsecs(6);
        Self {
            sender: sender.to_owned(),
            recipient: recipient.to_owned(),
            received_at,
        }
    }

    /// Reads the lines that [`Trace`] prints from the beginning of a file.
    pub(crate) fn parse(file: &[u8]) -> Option<Self> {
        let mut lines = file.split(|byte| *byte == b'\n').map(str::from_utf8);
        let mut line = || lines.next()?.ok()?.strip_suffix('\r');
        let sender = line()?
            .strip_prefix("Return-Path: <")?
            .strip_suffix('>')?
            .to_owned();
        let recipient = line()?.strip_prefix("Delivered-To: ")?.to_owned();
        let (time, _date) = line()?
            .strip_prefix("Received: by mail-catcher (")?
            .split_once(");")?;
        let received_at = DateTime::parse_from_rfc3339(time).ok()?.to_utc();
        Some(Self {
            sender,
            recipient,
            received_at,
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The date of a `Received` line has whole seconds; the comment keeps the order within one.
        let time = self
            .received_at
            .to_rfc3339_opts(SecondsFormat::Micros, true);
        let date = self.received_at.to_rfc2822();
        write!(
            out,
            "Return-Path: <{}>\r\nDelivered-To: {}\r\n",
            self.sender, self.recipient
        )?;
        write!(out, "Received: by mail-catcher ({time}); {date}\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_reads_back_as_it_was_written() {
        let trace = Trace::now("", "bird@example.test");
        let file = format!("{trace}Subject: x\r\n\r\nbody");
        assert_eq!(Trace::parse(file.as_bytes()), Some(trace));
    }

    #[test]
    fn a_file_without_trace_is_not_ours() {
        assert_eq!(Trace::parse(b""), None);
        assert_eq!(Trace::parse(b"Subject: x\r\n\r\nbody"), None);
        assert_eq!(Trace::parse(b"Return-Path: <\xff>\r\n"), None);
    }

    #[test]
    fn the_longest_trace_fits_the_limit() {
        let address = "a".repeat(crate::smtp::ADDRESS_LIMIT);
        assert!(Trace::now(&address, &address).to_string().len() <= TRACE_LIMIT);
    }
}
