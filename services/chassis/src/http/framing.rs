//! Where one request ends and the next begins, without a doubt.
//!
//! Programs that stand behind each other and do not agree on that let somebody hide a request inside another's (request
//! smuggling, RFC 9112, 11.2). The parser behind this takes a bare line feed for the end of a line, and a length beside
//! a transfer coding; both are made unreadable for it here, so that it answers 400 and closes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// No line of a head may hold it, so the parser refuses the head.
const UNREADABLE: u8 = 0;
/// Ends a head, for a parser that waits for its end.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// As much of a line as tells a header that says how long the body is.
const LONGEST_FRAMING_LINE: usize = 64;

/// A connection whose requests are framed in one way only.
pub(super) struct Framed<S> {
    stream: S,
    framing: Framing,
}

impl<S> Framed<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            framing: Framing::default(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.framing.place == Place::Refused {
            self.framing.place = Place::Last;
            buffer.put_slice(END_OF_HEAD.get(..buffer.remaining()).unwrap_or(END_OF_HEAD));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(new) = buffer.filled_mut().get_mut(before..) {
            self.framing.follow(new);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in the stream of requests a connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before or inside a head.
    #[default]
    Head,
    /// So many bytes before the end of a body.
    Body(u64),
    /// In the last request of the connection: the server closes it after a chunked body.
    Last,
    /// After what no head may hold; the parser has yet to be told that nothing follows.
    Refused,
}

#[derive(Debug, Default)]
struct Framing {
    place: Place,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    /// Its last byte so far.
    last: u8,
    /// Whether the request line is past.
    is_begun: bool,
    length: Option<u64>,
    is_coded: bool,
}

/// The head leaves open how long the body is.
#[derive(Debug)]
struct Ambiguous;

impl Framing {
    /// Goes along with what was read, and makes unreadable what must not be read.
    fn follow(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = match self.place {
                Place::Head => self.take_line(bytes),
                Place::Body(left) => {
                    let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(left);
                    self.place = if here == left {
                        Place::Head
                    } else {
                        Place::Body(left - here)
                    };
                    usize::try_from(here).unwrap_or(bytes.len())
                }
                Place::Last | Place::Refused => return,
            };
            bytes = bytes.get_mut(taken..).unwrap_or_default();
        }
    }

    /// Reads up to the end of a line, if it is there; how many bytes that were.
    fn take_line(&mut self, bytes: &mut [u8]) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = LONGEST_FRAMING_LINE.saturating_sub(self.line.len());
        self.line.extend(text.iter().take(room));
        self.last = text.last().copied().unwrap_or(self.last);
        let Some(end) = end else {
            return bytes.len();
        };
        if self.end_line().is_err() {
            self.place = Place::Refused;
            if let Some(line_feed) = bytes.get_mut(end) {
                *line_feed = UNREADABLE;
            }
        }
        self.line.clear();
        self.last = 0;
        end + 1
    }

    fn end_line(&mut self) -> Result<(), Ambiguous> {
        if self.last != b'\r' {
            return Err(Ambiguous);
        }
        if self.line != b"\r" {
            return if self.is_begun {
                self.header()
            } else {
                self.is_begun = true;
                Ok(())
            };
        }
        // Empty lines before a request are passed over (RFC 9112, 2.2).
        if self.is_begun {
            self.place = match (self.is_coded, self.length) {
                (true, _) => Place::Last,
                (false, Some(length)) if length > 0 => Place::Body(length),
                (false, _) => Place::Head,
            };
            (self.is_begun, self.is_coded, self.length) = (false, false, None);
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(), Ambiguous> {
        let Some(colon) = memchr::memchr(b':', &self.line) else {
            return Ok(());
        };
        let (name, value) = self.line.split_at(colon);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_coded = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = value.get(1..).unwrap_or_default().trim_ascii();
            let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            let number = str::from_utf8(digits)
                .ok()
                .and_then(|text| text.parse().ok());
            if !is_number || number.is_none() || self.length.is_some() {
                return Err(Ambiguous);
            }
            self.length = number;
        }
        if self.is_coded && self.length.is_some() {
            return Err(Ambiguous);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser sees of a stream that arrives in pieces of one size.
    fn seen(stream: &str, piece: usize) -> (Vec<u8>, Place) {
        let mut framing = Framing::default();
        let mut bytes = stream.as_bytes().to_vec();
        for piece in bytes.chunks_mut(piece) {
            framing.follow(piece);
        }
        (bytes, framing.place)
    }

    #[test]
    fn what_is_framed_in_one_way_passes_unchanged() {
        for stream in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\nxGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length:0\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        ] {
            for piece in [1, 2, 7, 1000] {
                let (bytes, place) = seen(stream, piece);
                assert_eq!(bytes, stream.as_bytes(), "{stream:?} by {piece}");
                assert_eq!(place, Place::Head, "{stream:?} by {piece}");
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_made_unreadable() {
        for stream in [
            "GET / HTTP/1.1\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\n",
            "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\nHost: x\r\n\r\n",
        ] {
            for piece in [1, 2, 7, 1000] {
                let (bytes, place) = seen(stream, piece);
                assert!(bytes.contains(&UNREADABLE), "{stream:?} by {piece}");
                assert_eq!(place, Place::Refused, "{stream:?} by {piece}");
            }
        }
    }

    #[test]
    fn after_a_chunked_body_no_request_is_looked_for() {
        let stream = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n";
        let (bytes, place) = seen(stream, 5);
        assert_eq!((bytes.as_slice(), place), (stream.as_bytes(), Place::Last));
    }
}
