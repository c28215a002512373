//! Looks into gzip streams and the entries of zip archives, wherever in a file they begin, and into
//! those within. An archive's directory is not needed for that: what is cut off, or has lost its
//! end, is read as far as it goes.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use memchr::memmem;

use crate::Report;
use crate::files::scan_reader;
use crate::matcher::Matcher;
use crate::open::open;

/// RFC 1952, deflate.
const GZIP: &[u8] = b"\x1f\x8b\x08";
/// APPNOTE 4.3.7: the header before each entry.
const ZIP_ENTRY: &[u8] = b"PK\x03\x04";
const ZIP_HEADER: usize = 30;
const DEFLATED: u16 = 8;
pub(crate) const LONGEST_MARK: usize = 4;
/// Archives in archives in archives.
const DEEPEST: usize = 4;
/// A few bytes may stand for as many as one likes; more than this is not looked at.
const LARGEST: u64 = 1024 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gzip,
    ZipEntry,
}

/// Where something compressed may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    offset: u64,
    kind: Kind,
}

/// Where something compressed may begin in some bytes, but for what lies wholly before `seen`.
pub(crate) fn begins(bytes: &[u8], offset: u64, seen: usize) -> Vec<Begin> {
    let mut found = Vec::new();
    for (mark, kind) in [(GZIP, Kind::Gzip), (ZIP_ENTRY, Kind::ZipEntry)] {
        let places = memmem::find_iter(bytes, mark);
        let places = places.filter(|at| at + mark.len() > seen);
        found.extend(places.map(|at| Begin {
            offset: offset + at as u64,
            kind,
        }));
    }
    found
}

/// Searches what begins at a place of a file. What only looks compressed ends soon.
pub(crate) fn scan(
    matcher: &Matcher,
    file: &Path,
    begin: Begin,
    report: &mut Report,
) -> io::Result<()> {
    let source = open(file)?.from_place(begin.offset);
    let mut search = Search {
        matcher,
        file,
        report,
    };
    search.look(BufReader::new(source), begin, &[]);
    Ok(())
}

struct Search<'a> {
    matcher: &'a Matcher,
    file: &'a Path,
    report: &'a mut Report,
}

impl Search<'_> {
    fn look(&mut self, mut source: impl BufRead, begin: Begin, within: &[String]) {
        match begin.kind {
            Kind::Gzip => {
                let part = format!("gzip at {}", begin.offset);
                self.part(MultiGzDecoder::new(source), within, &part);
            }
            // What is not compressed was searched already.
            Kind::ZipEntry => {
                if is_deflated(&mut source) {
                    let part = format!("zip entry at {}", begin.offset);
                    self.part(DeflateDecoder::new(source), within, &part);
                }
            }
        }
    }

    /// Searches what a part holds, as far as it can be read.
    fn part(&mut self, source: impl Read, within: &[String], part: &str) {
        let within = [within, &[part.to_owned()]].concat();
        let mut bytes = Vec::new();
        // What was read before an error counts too.
        let _ = source.take(LARGEST).read_to_end(&mut bytes);
        if bytes.len() as u64 == LARGEST {
            let why = format!("{part} holds more than {LARGEST} bytes; the rest was not searched");
            self.report.unread.push((self.file.to_owned(), why));
        }
        let place = (self.file, within.as_slice());
        let begins = scan_reader(self.matcher, bytes.as_slice(), place, self.report);
        if within.len() >= DEEPEST {
            return;
        }
        for begin in begins.unwrap_or_default() {
            let from = usize::try_from(begin.offset).ok();
            if let Some(rest) = from.and_then(|from| bytes.get(from..)) {
                self.look(rest, begin, &within);
            }
        }
    }
}

/// Reads over an entry's header, to its bytes.
fn is_deflated(source: &mut impl Read) -> bool {
    let mut header = [0; ZIP_HEADER];
    if source.read_exact(&mut header).is_err() {
        return false;
    }
    let number = |at: usize| {
        let bytes = header
            .get(at..at + 2)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u16::from_le_bytes)
    };
    let (method, name, extra) = (number(8), number(26), number(28));
    let rest = u64::from(name) + u64::from(extra);
    let skipped = io::copy(&mut source.by_ref().take(rest), &mut io::sink());
    method == DEFLATED && skipped.is_ok_and(|skipped| skipped == rest)
}
