//! The checklist of species (AviList 2025) and the search in it. Loaded once, without a database.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use envelope::tick;
use serde::Serialize;
use utoipa::ToSchema;

mod fold;

use fold::fold;

/// Tab-separated: id, scientific, english, order, family, iucn; the first line names the columns.
const LIST: &str = include_str!("../../../data/avilist-2025-species.tsv");

/// All species. Read at the first use, which the service makes when it starts.
pub(crate) static CHECKLIST: LazyLock<Checklist> = LazyLock::new(|| Checklist::read(LIST));

/// A species with its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Species {
    /// The checklist's id.
    #[schema(example = "avibase-895C12C1")]
    pub id: &'static str,
    /// The scientific name.
    #[schema(example = "Parus major")]
    pub scientific: &'static str,
    /// The English name.
    #[schema(example = "Great Tit")]
    pub english: &'static str,
    /// How threatened it is, as the IUCN's red list says.
    #[schema(example = "LC")]
    pub iucn: &'static str,
}

impl Species {
    /// Whether the red list says that it is vulnerable, endangered, or gone from the wild: where it lives is not for everybody.
    pub(crate) fn is_threatened(self) -> bool {
        let category = self.iucn.split(' ').next();
        category.is_some_and(|category| ["VU", "EN", "CR", "EW", "EX"].contains(&category))
    }
}

impl From<Species> for tick::Species {
    fn from(species: Species) -> Self {
        Self {
            id: species.id.to_owned(),
            scientific: species.scientific.to_owned(),
            english: species.english.to_owned(),
        }
    }
}

/// A list of species that can be searched.
#[derive(Debug)]
pub(crate) struct Checklist {
    /// Those with the shorter English names first: of two that fit alike the shorter name is the nearer one.
    entries: Vec<Entry>,
    places: HashMap<&'static str, usize>,
    /// All words of all names in their order, each with the place of its entry: those with a common beginning stand together.
    words: Vec<(Box<str>, usize)>,
}

#[derive(Debug)]
struct Entry {
    species: Species,
    /// Both names as they are searched: folded.
    english: String,
    scientific: String,
}

/// How well an entry answers a query, the best being the least.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The query is a whole name.
    Exact,
    /// A name starts with the query.
    Start,
    /// Each word of the query starts a word; so many words are whole ones.
    Words(Reverse<usize>),
}

impl Checklist {
    fn read(list: &'static str) -> Self {
        let mut entries: Vec<Entry> = list.lines().skip(1).filter_map(Entry::read).collect();
        entries.sort_by_key(|entry| (entry.english.len(), entry.species.english));
        let places = entries.iter().enumerate();
        let places = places
            .map(|(place, entry)| (entry.species.id, place))
            .collect();
        let words = entries.iter().enumerate();
        let words = words.flat_map(|(place, entry)| {
            let words = entry.names().into_iter().flat_map(|name| name.split(' '));
            words.map(move |word| (word.into(), place))
        });
        let mut words: Vec<_> = words.collect();
        words.sort_unstable();
        Self {
            entries,
            places,
            words,
        }
    }

    /// How many species there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The species with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Species> {
        let entry = self.entries.get(*self.places.get(id)?)?;
        Some(entry.species)
    }

    /// Species with a word for each word of the query, the best first. Accents and case do not matter.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<Species> {
        let query = fold(query);
        if query.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(Fit, usize)> = self
            .candidates(&query)
            .into_iter()
            .filter_map(|place| Some((self.entries.get(place)?.fit(&query)?, place)))
            .collect();
        if limit > 0 && limit < found.len() {
            found.select_nth_unstable(limit - 1);
        }
        found.truncate(limit);
        found.sort_unstable();
        let entries = found
            .iter()
            .filter_map(|(_, place)| self.entries.get(*place));
        entries.map(|entry| entry.species).collect()
    }

    /// The places of the entries that have a word for the rarest word of the query; no others can fit.
    fn candidates(&self, query: &str) -> Vec<usize> {
        let ranges = query.split(' ').map(|start| self.starting_with(start));
        let rarest = ranges.min_by_key(Range::len).unwrap_or_default();
        let words = self.words.get(rarest).unwrap_or_default();
        let mut places: Vec<usize> = words.iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Where the words stand that start with this.
    fn starting_with(&self, start: &str) -> Range<usize> {
        let first = self.words.partition_point(|(word, _)| &**word < start);
        let rest = self.words.get(first..).unwrap_or_default();
        let count = rest.partition_point(|(word, _)| word.starts_with(start));
        first..first + count
    }
}

impl Entry {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (id, scientific, english) = (columns.next()?, columns.next()?, columns.next()?);
        let iucn = columns.nth(2).unwrap_or_default();
        Some(Self {
            species: Species {
                id,
                scientific,
                english,
                iucn,
            },
            english: fold(english),
            scientific: fold(scientific),
        })
    }

    /// Both names as they are searched.
    fn names(&self) -> [&str; 2] {
        [&self.english, &self.scientific]
    }

    fn fit(&self, query: &str) -> Option<Fit> {
        let names = self.names();
        if names.contains(&query) {
            return Some(Fit::Exact);
        }
        if names.iter().any(|name| name.starts_with(query)) {
            return Some(Fit::Start);
        }
        let mut whole = 0;
        for wanted in query.split(' ') {
            let mut words = names.iter().flat_map(|name| name.split(' '));
            let mut starts = words.by_ref().filter(|word| word.starts_with(wanted));
            let first = starts.next()?;
            if first == wanted || starts.any(|word| word == wanted) {
                whole += 1;
            }
        }
        Some(Fit::Words(Reverse(whole)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    /// The processor time that this thread has used, in which no other program's work counts.
    fn processor_time() -> Duration {
        let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let nanoseconds = spent.split(' ').next().unwrap();
        Duration::from_nanos(nanoseconds.parse().unwrap())
    }

    #[test]
    fn five_thousand_searches_a_second_need_one_core() {
        // All that somebody types who types three letters of any name, as a client asks after each.
        let starts = CHECKLIST.entries.iter().flat_map(Entry::names);
        let starts: BTreeSet<&str> = starts.filter_map(|name| name.get(..3)).collect();
        let before = processor_time();
        for start in &starts {
            assert!(!CHECKLIST.search(start, 20).is_empty(), "{start}");
        }
        let each =
            processor_time().checked_sub(before).unwrap() / u32::try_from(starts.len()).unwrap();
        let second = Duration::from_secs(1);
        let a_second = second.as_nanos() / each.as_nanos();
        assert!(a_second >= 5_000, "{a_second} a second");
    }

    #[test]
    fn three_letters_suffice_for_either_name() {
        assert!(
            english("gre", 20)
                .iter()
                .all(|name| name.to_lowercase().contains("gre"))
        );
        assert!(english("par maj", 20).contains(&"Great Tit"));
        assert!(english("rüp", 50).contains(&"Rüppell's Vulture"));
        assert_eq!(english("rüp", 50), english("rup", 50));
    }

    #[test]
    fn the_index_finds_what_a_look_at_every_species_finds() {
        for query in [
            "gre",
            "tit",
            "b",
            "parus m",
            "great tit",
            "s a",
            "zzz",
            "black headed gu",
        ] {
            let mut all: Vec<(Fit, usize)> = CHECKLIST
                .entries
                .iter()
                .enumerate()
                .filter_map(|(place, entry)| Some((entry.fit(query)?, place)))
                .collect();
            all.sort_unstable();
            let all = all
                .iter()
                .take(20)
                .map(|(_, place)| CHECKLIST.entries[*place].species);
            assert_eq!(
                CHECKLIST.search(query, 20),
                all.collect::<Vec<_>>(),
                "{query}"
            );
        }
    }

    fn english(query: &str, limit: usize) -> Vec<&'static str> {
        let found = CHECKLIST.search(query, limit);
        found.iter().map(|species| species.english).collect()
    }

    #[test]
    fn the_whole_checklist_is_read() {
        assert_eq!(CHECKLIST.len(), 11_131);
        assert_eq!(CHECKLIST.places.len(), 11_131);
        for entry in &CHECKLIST.entries {
            assert!(!entry.english.is_empty() && !entry.scientific.is_empty());
        }
    }

    #[test]
    fn parts_of_words_find_the_great_tit() {
        assert!(english("gr tit", 20).contains(&"Great Tit"));
        assert!(english("TIT  gr", 20).contains(&"Great Tit"));
    }

    #[test]
    fn a_whole_name_comes_first_then_those_that_start_with_it() {
        assert_eq!(english("great tit", 5).first(), Some(&"Great Tit"));
        assert_eq!(english("parus major", 5).first(), Some(&"Great Tit"));
        let wrens = english("winter", 5);
        assert_eq!(wrens.first(), Some(&"Winter Wren"));
    }

    #[test]
    fn whole_words_come_before_mere_beginnings() {
        let found = english("coal tit", 50);
        assert_eq!(found.first(), Some(&"Coal Tit"));
        let tits = english("marsh tit", 50);
        assert_eq!(tits.first(), Some(&"Marsh Tit"));
    }

    #[test]
    fn accents_apostrophes_and_hyphens_do_not_matter() {
        let with = english("Rüppell's", 50);
        assert!(!with.is_empty());
        assert_eq!(with, english("ruppells", 50));
        assert_eq!(with, english("RU\u{308}PPELL\u{2019}S", 50));
        assert_eq!(
            english("black-headed gull", 3),
            english("black headed gull", 3)
        );
    }

    #[test]
    fn all_words_must_be_found() {
        assert!(english("great zebra tit", 5).is_empty());
        assert!(english("...", 5).is_empty());
    }

    #[test]
    fn a_species_is_found_by_its_id() {
        let ostrich = CHECKLIST.find("avibase-2247CB05").unwrap();
        assert_eq!(ostrich.english, "Common Ostrich");
        assert_eq!(CHECKLIST.find("avibase-nothing"), None);
    }
}
