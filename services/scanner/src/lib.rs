//! Searches every byte of files for what must not be there any more.
//!
//! A text is looked for in every form in which a store may hold it ([`Form`]), in file names, across
//! the borders of what is read at a time, and inside gzip streams and zip archives wherever in a file
//! they begin. What is compressed otherwise, or encrypted, hides from a scan: no store of Dipper's
//! does either to people's ids.

mod containers;
mod files;
mod forms;
mod matcher;
mod open;

use std::path::{Path, PathBuf};

pub use forms::Form;
pub use open::{Opened, open};

use crate::forms::Pattern;
use crate::matcher::Matcher;

/// Shorter texts stand in any file by chance.
pub const SHORTEST: usize = 4;

/// Why nothing can be searched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// There is nothing to search for.
    #[error("nothing to search for: give at least one needle")]
    NoNeedle,
    /// A needle would be found everywhere.
    #[error("needle {number} has fewer than {SHORTEST} bytes and would be found by chance")]
    TooShort {
        /// Which, from 1.
        number: usize,
    },
    /// The search does not find what it must.
    #[error("the search is broken: it does not find needle {number} as {form}", form = form.as_str())]
    Broken {
        /// Which, from 1.
        number: usize,
        /// In which form.
        form: Form,
    },
}

/// Where a needle was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// What is compressed and leads to it, from the outside in; nothing in the file itself.
    pub within: Vec<String>,
    /// The first byte of it there; none in the file's name.
    pub offset: Option<u64>,
    /// Which needle, from 1.
    pub needle: usize,
    /// In which form.
    pub form: Form,
}

/// What was found, and how much was looked through.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// What could not be read, and why: it may hold anything.
    pub unread: Vec<(PathBuf, String)>,
    /// How many files were read.
    pub files: u64,
    /// How many bytes, those inside archives too.
    pub bytes: u64,
}

/// A search for some needles.
#[derive(Debug)]
pub struct Scanner {
    matcher: Matcher,
}

impl Scanner {
    /// Prepares a search, and proves that it finds each needle in each form.
    pub fn new<N: AsRef<str>>(needles: &[N]) -> Result<Self, ScanError> {
        if needles.is_empty() {
            return Err(ScanError::NoNeedle);
        }
        let mut patterns = Vec::new();
        for (number, needle) in (1..).zip(needles) {
            let needle = needle.as_ref();
            if needle.len() < SHORTEST {
                return Err(ScanError::TooShort { number });
            }
            patterns.extend(forms::patterns(number, needle));
        }
        let scanner = Self {
            matcher: Matcher::new(patterns),
        };
        scanner.prove()?;
        Ok(scanner)
    }

    /// The positive control: what is planted is found.
    fn prove(&self) -> Result<(), ScanError> {
        for Pattern {
            needle,
            form,
            bytes,
        } in self.matcher.patterns()
        {
            let planted = [b"\0\xff", bytes.as_slice(), b"\xff\0"].concat();
            let found = self.matcher.find(&planted);
            if !found
                .iter()
                .any(|(at, pattern)| *at == 2 && pattern.needle == *needle)
            {
                let (number, form) = (*needle, *form);
                return Err(ScanError::Broken { number, form });
            }
        }
        Ok(())
    }

    /// Searches a folder and everything below it, or one file. `progress` is told of each file.
    pub fn scan(&self, place: &Path, report: &mut Report, progress: &mut dyn FnMut(&Report)) {
        files::scan(&self.matcher, place, report, progress);
    }
}
