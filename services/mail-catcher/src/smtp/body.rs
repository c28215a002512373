//! The content that follows DATA: where it ends, and what it is without its transport's dots.

use super::SIZE_LIMIT;
use super::connection::LINE_LIMIT;

/// A client that sends this much of a mail that is too large is cut off instead of heard to its end.
const ABUSE_LIMIT: usize = 4 * SIZE_LIMIT;

/// What became of the content so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
    Abuse,
}

/// Gathers the content, line by line.
///
/// Only CRLF ends a line and only CRLF.CRLF the content, so that nobody can hide a second mail in a first one behind
/// line ends that other servers read differently.
#[derive(Debug)]
pub(super) struct Body {
    content: Vec<u8>,
    refusal: Option<&'static str>,
    seen: usize,
    line: usize,
    last: u8,
}

impl Body {
    pub(super) fn new() -> Self {
        Self {
            content: Vec::new(),
            refusal: None,
            seen: 0,
            line: 0,
            last: b'\n',
        }
    }

    /// Takes the next line, or the next part of one that is longer than [`LINE_LIMIT`].
    pub(super) fn push(&mut self, chunk: &[u8]) -> Progress {
        let line = if self.line == 0 {
            if chunk == b".\r\n" {
                return Progress::Done;
            }
            chunk.strip_prefix(b".").unwrap_or(chunk)
        } else {
            chunk
        };
        self.seen += chunk.len();
        self.line += chunk.len();
        self.keep(line);
        let line_ends = chunk.ends_with(b"\r\n") || (self.last == b'\r' && chunk == b"\n");
        self.last = chunk.last().copied().unwrap_or(self.last);
        if line_ends {
            self.line = 0;
        }
        if self.seen > ABUSE_LIMIT {
            Progress::Abuse
        } else {
            Progress::More
        }
    }

    fn keep(&mut self, line: &[u8]) {
        if self.content.len() + line.len() > SIZE_LIMIT {
            self.refuse("552 5.3.4 the mail is too large");
        } else if self.line > LINE_LIMIT {
            self.refuse("554 5.6.0 a line is too long");
        }
        if self.refusal.is_none() {
            self.content.extend_from_slice(line);
        }
    }

    fn refuse(&mut self, refusal: &'static str) {
        self.refusal.get_or_insert(refusal);
        self.content = Vec::new();
    }

    /// The content, or the answer that refuses it.
    pub(super) fn finish(self) -> Result<Vec<u8>, &'static str> {
        self.refusal.map_or(Ok(self.content), Err)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(chunks: &[&[u8]]) -> Result<Vec<u8>, &'static str> {
        let mut body = Body::new();
        for chunk in chunks {
            assert_eq!(body.push(chunk), Progress::More);
        }
        assert_eq!(body.push(b".\r\n"), Progress::Done);
        body.finish()
    }

    #[test]
    fn the_transports_dots_are_removed_at_line_starts_only() {
        assert_eq!(
            taken(&[b"..\r\n", b"...x\r\n", b"a..b\r\n"]),
            Ok(b".\r\n..x\r\na..b\r\n".to_vec())
        );
    }

    #[test]
    fn a_dot_after_a_bare_line_feed_does_not_end_the_mail() {
        let mut body = Body::new();
        for chunk in [&b"a\n"[..], b".\r\n", b"b\r\n", b".\n", b"\r\n"] {
            assert_eq!(body.push(chunk), Progress::More);
        }
        assert_eq!(body.push(b".\r\n"), Progress::Done);
        assert_eq!(body.finish(), Ok(b"a\n.\r\nb\r\n\n\r\n".to_vec()));
    }

    #[test]
    fn a_line_that_is_cut_between_cr_and_lf_still_ends() {
        let mut body = Body::new();
        let mut chunk = vec![b'x'; LINE_LIMIT];
        chunk[LINE_LIMIT - 1] = b'\r';
        assert_eq!(body.push(&chunk), Progress::More);
        assert_eq!(body.push(b"\n"), Progress::More);
        assert_eq!(body.push(b".\r\n"), Progress::Done);
        assert_eq!(body.finish(), Err("554 5.6.0 a line is too long"));
    }

    #[test]
    fn a_mail_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
        let line = [&[b'x'; 1022][..], b"\r\n"].concat();
        let mut chunks = vec![line.as_slice(); SIZE_LIMIT / 1024];
        assert_eq!(taken(&chunks).map(|content| content.len()), Ok(SIZE_LIMIT));
        let longer = [b"x", line.as_slice()].concat();
        chunks[0] = &longer;
        assert_eq!(taken(&chunks), Err("552 5.3.4 the mail is too large"));
    }

    #[test]
    fn a_mail_without_end_is_cut_off() {
        let mut body = Body::new();
        let chunk = [b'x'; LINE_LIMIT];
        for _ in 0..ABUSE_LIMIT / LINE_LIMIT {
            assert_eq!(body.push(&chunk), Progress::More);
        }
        assert_eq!(body.push(&chunk), Progress::Abuse);
        assert_eq!(body.content.capacity(), 0);
    }

    proptest! {
        #[test]
        fn a_stuffed_mail_arrives_as_it_was(lines in proptest::collection::vec("[.\r\\PC]{0,9}", 0..20)) {
            let mut body = Body::new();
            let mut sent = Vec::new();
            for line in lines {
                let line = format!("{line}\r\n");
                sent.extend_from_slice(line.as_bytes());
                let stuffed = if line.starts_with('.') { format!(".{line}") } else { line };
                prop_assert_eq!(body.push(stuffed.as_bytes()), Progress::More);
            }
            prop_assert_eq!(body.push(b".\r\n"), Progress::Done);
            prop_assert_eq!(body.finish(), Ok(sent));
        }
    }
}
