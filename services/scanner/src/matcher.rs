//! Finds all patterns in bytes at once.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use crate::forms::Pattern;

/// All patterns of a search, and the machines that find them.
#[derive(Debug)]
pub(crate) struct Matcher {
    patterns: Vec<Pattern>,
    /// For letters of either case, and for exact bytes; each with the places of its patterns.
    machines: Vec<(AhoCorasick, Vec<usize>)>,
    longest: usize,
    /// Whether to rest after each chunk for as long as it took.
    pub rests: bool,
}

impl Matcher {
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let machine = |ignores_case: bool| {
            let places: Vec<usize> = (0..patterns.len())
                .filter(|place| {
                    let pattern = patterns.get(*place);
                    pattern.is_some_and(|pattern| pattern.form.ignores_case() == ignores_case)
                })
                .collect();
            let own = places.iter().filter_map(|place| patterns.get(*place));
            let machine = AhoCorasickBuilder::new()
                .ascii_case_insensitive(ignores_case)
                .build(own.map(|pattern| &pattern.bytes));
            // More bytes than a machine can have do not fit on a command line.
            machine.ok().map(|machine| (machine, places))
        };
        let machines = [true, false].into_iter().filter_map(machine).collect();
        let longest = patterns.iter().map(|pattern| pattern.bytes.len()).max();
        Self {
            machines,
            longest: longest.unwrap_or_default(),
            rests: false,
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
        let mut found = Vec::new();
        for (machine, places) in &self.machines {
            for one in machine.find_overlapping_iter(bytes) {
                let place = places.get(one.pattern().as_usize());
                let pattern = place.and_then(|place| self.patterns.get(*place));
                found.extend(pattern.map(|pattern| (one.start(), pattern)));
            }
        }
        found
    }
}
