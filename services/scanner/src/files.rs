//! Reads files from end to end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::containers;
use crate::forms::Form;
use crate::matcher::Matcher;
use crate::open::open;
use crate::{Finding, Report};

/// So much is read at a time.
const CHUNK: usize = 4 * 1024 * 1024;

/// Searches everything below a place. Links are not followed: what they lead to is elsewhere.
pub(crate) fn scan(
    matcher: &Matcher,
    place: &Path,
    report: &mut Report,
    progress: &mut dyn FnMut(&Report),
) {
    let mut places = vec![place.to_owned()];
    while let Some(place) = places.pop() {
        scan_name(matcher, &place, report);
        let outcome = match fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => below(&place).map(|parts| places.extend(parts)),
            Ok(found) if found.is_file() => scan_file(matcher, &place, report),
            // Sockets, pipes and links hold nothing.
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        // Files come and go while a system runs; what is gone holds nothing.
        if let Err(error) = outcome
            && error.kind() != io::ErrorKind::NotFound
        {
            report.unread.push((place, error.to_string()));
        }
        progress(report);
    }
}

fn below(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut parts = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    parts.sort_unstable_by(|a, b| b.cmp(a));
    Ok(parts)
}

fn scan_name(matcher: &Matcher, place: &Path, report: &mut Report) {
    let Some(name) = place.file_name() else {
        return;
    };
    let found = matcher.find(name.as_encoded_bytes());
    let found: BTreeSet<(usize, Form)> = found
        .iter()
        .map(|(_, pattern)| (pattern.needle, pattern.form))
        .collect();
    report
        .findings
        .extend(found.into_iter().map(|(needle, form)| Finding {
            file: place.to_owned(),
            within: Vec::new(),
            offset: None,
            needle,
            form,
        }));
}

fn scan_file(matcher: &Matcher, file: &Path, report: &mut Report) -> io::Result<()> {
    let begins = scan_reader(matcher, open(file)?, (file, &[]), report)?;
    report.files += 1;
    for begin in begins {
        containers::scan(matcher, file, begin, report)?;
    }
    Ok(())
}

/// Searches what a reader gives, and says where archives may begin.
pub(crate) fn scan_reader(
    matcher: &Matcher,
    mut reader: impl Read,
    (file, within): (&Path, &[String]),
    report: &mut Report,
) -> io::Result<Vec<containers::Begin>> {
    // What may begin in one chunk and end in the next is looked at again.
    let overlap = matcher.longest().max(containers::LONGEST_MARK) - 1;
    let mut buffer = Vec::with_capacity(CHUNK + overlap);
    let (mut offset, mut begins) = (0_u64, Vec::new());
    // What lies wholly in the overlap was found before.
    let mut seen = 0;
    loop {
        let read = reader
            .by_ref()
            .take(CHUNK as u64)
            .read_to_end(&mut buffer)?;
        report.bytes += read as u64;
        for (at, pattern) in matcher.find(&buffer) {
            if at + pattern.bytes.len() > seen {
                report.findings.push(Finding {
                    file: file.to_owned(),
                    within: within.to_vec(),
                    offset: Some(offset + at as u64),
                    needle: pattern.needle,
                    form: pattern.form,
                });
            }
        }
        begins.extend(containers::begins(&buffer, offset, seen));
        if read == 0 {
            return Ok(begins);
        }
        let gone = buffer.len().saturating_sub(overlap);
        buffer.drain(..gone);
        offset += gone as u64;
        seen = buffer.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Scanner;

    const NEEDLE: &str = "Turdus.merula@example.org";

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let many = self.0.len().min(7).min(buffer.len());
            let (now, later) = self.0.split_at(many);
            buffer[..many].copy_from_slice(now);
            self.0 = later;
            Ok(many)
        }
    }

    fn places(bytes: &[u8]) -> Vec<u64> {
        let scanner = Scanner::new(&[NEEDLE]).unwrap();
        let mut report = Report::default();
        scan_reader(
            &scanner.matcher,
            Slow(bytes),
            (Path::new("x"), &[]),
            &mut report,
        )
        .unwrap();
        let text = report
            .findings
            .iter()
            .filter(|finding| finding.form == Form::Text);
        text.filter_map(|finding| finding.offset).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn what_lies_across_the_border_of_two_chunks_is_found_once(shift in 0_usize..60) {
            let at = CHUNK - 30 + shift;
            let mut bytes = vec![b'.'; CHUNK + 200];
            bytes[at..at + NEEDLE.len()].copy_from_slice(NEEDLE.as_bytes());
            prop_assert_eq!(places(&bytes), [at as u64]);
        }
    }

    #[test]
    fn each_place_is_told_of() {
        let twice = format!("{NEEDLE} and {}", NEEDLE.to_uppercase());
        assert_eq!(places(twice.as_bytes()), [0, NEEDLE.len() as u64 + 5]);
        assert!(places(b"nothing of the kind").is_empty());
    }
}
