//! Finds all patterns in bytes at once.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

use crate::forms::Pattern;

/// Up to so many patterns the fastest kind of machine stays small.
const MOST_IN_A_TABLE: usize = 400;

/// All patterns of a search, and the machine that finds them.
#[derive(Debug)]
pub(crate) struct Matcher {
    patterns: Vec<Pattern>,
    /// Takes letters of either case; what counts in one only is looked at again.
    machine: Option<AhoCorasick>,
    longest: usize,
}

impl Matcher {
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let kind = (patterns.len() <= MOST_IN_A_TABLE).then_some(AhoCorasickKind::DFA);
        // Ids begin with any byte, so looking for first bytes only costs time.
        let machine = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .prefilter(false)
            .kind(kind)
            .build(patterns.iter().map(|pattern| &pattern.bytes));
        let longest = patterns.iter().map(|pattern| pattern.bytes.len()).max();
        Self {
            // More bytes than a machine can have do not fit on a command line.
            machine: machine.ok(),
            longest: longest.unwrap_or_default(),
            patterns,
        }
    }

    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// How many bytes a pattern has at most.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Every pattern's places in some bytes.
    pub fn find(&self, bytes: &[u8]) -> Vec<(usize, &Pattern)> {
        let machine = self.machine.iter();
        let found = machine.flat_map(|machine| machine.find_overlapping_iter(bytes));
        found
            .filter_map(|one| {
                let pattern = self.patterns.get(one.pattern().as_usize())?;
                let is_same = pattern.form.ignores_case()
                    || bytes.get(one.range()) == Some(pattern.bytes.as_slice());
                is_same.then_some((one.start(), pattern))
            })
            .collect()
    }
}
