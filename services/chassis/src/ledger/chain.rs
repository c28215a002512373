//! The ledger's lines: each is linked to the one before by a keyed hash, so that none can be changed,
//! left out or made up without the deployment's keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::keys::PurposeKey;

/// How far a ledger is: its number of tombstones, those that it has let go of included, and the last
/// one's link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many tombstones it has taken in.
    pub entries: u64,
    /// What the last one is linked by.
    pub link: String,
}

/// Somebody was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The keyed hash of the person's id that every fence holds.
    pub subject: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// When no backup is left that could hold the person.
    pub expires_at: DateTime<Utc>,
}

/// The first line: what came before the lines that are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    entries: u64,
    link: String,
    /// Shows that we left out what came before.
    seal: String,
}

/// A line with a tombstone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    number: u64,
    #[serde(flatten)]
    tombstone: Tombstone,
    link: String,
}

/// Why a ledger's text is none: the line, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Broken {
    line: usize,
    why: &'static str,
}

/// How a ledger stands to a head that was recorded elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It goes on from there, or is at it.
    Continues,
    /// It lacks tombstones that were there.
    Older,
    /// It is not the ledger whose head that is.
    Another,
    /// It has let go of tombstones that came after: every backup of that time is too old.
    Beyond,
}

/// A ledger's content, all of whose links are right.
#[derive(Clone, Debug)]
pub struct Chain {
    key: PurposeKey,
    base: Base,
    entries: Vec<Entry>,
}

impl Chain {
    /// An empty ledger, unlike any other.
    pub fn new(key: PurposeKey) -> Self {
        let link = hex::encode(rand::random::<[u8; 32]>());
        let base = Base::sealed(0, link, &key);
        Self {
            key,
            base,
            entries: Vec::new(),
        }
    }

    /// Reads a ledger's text and checks every link.
    pub fn read(text: &str, key: PurposeKey) -> Result<Self, Broken> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let base = serde_json::from_str::<Base>(first).ok();
        let base = base.filter(|base| *base == Base::sealed(base.entries, base.link.clone(), &key));
        let why = "it is not a ledger's first line, or not one of this deployment";
        let base = base.ok_or(Broken { line: 1, why })?;
        let mut chain = Self {
            key,
            base,
            entries: Vec::new(),
        };
        for (place, line) in lines.enumerate() {
            let broken = |why| Broken {
                line: place + 2,
                why,
            };
            let entry: Entry =
                serde_json::from_str(line).map_err(|_| broken("it is no tombstone"))?;
            if entry != chain.entry(entry.tombstone.clone()) {
                return Err(broken("it does not follow from the line before"));
            }
            chain.entries.push(entry);
        }
        Ok(chain)
    }

    /// The whole text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(&self.base)? + "\n";
        for entry in &self.entries {
            text += &(serde_json::to_string(entry)? + "\n");
        }
        Ok(text)
    }

    /// How far it is.
    pub fn head(&self) -> Head {
        match self.entries.last() {
            Some(last) => Head {
                entries: last.number,
                link: last.link.clone(),
            },
            None => Head {
                entries: self.base.entries,
                link: self.base.link.clone(),
            },
        }
    }

    /// The tombstones that are there.
    pub fn tombstones(&self) -> impl Iterator<Item = &Tombstone> {
        self.entries.iter().map(|entry| &entry.tombstone)
    }

    /// Whether somebody has a tombstone that lasts until then.
    pub fn covers(&self, subject: &str, until: DateTime<Utc>) -> bool {
        self.tombstones()
            .any(|one| one.subject == subject && one.expires_at >= until)
    }

    /// Adds a tombstone. Answers its line.
    pub fn push(&mut self, tombstone: Tombstone) -> Result<String, serde_json::Error> {
        let entry = self.entry(tombstone);
        let line = serde_json::to_string(&entry)? + "\n";
        self.entries.push(entry);
        Ok(line)
    }

    /// How it stands to a head that was recorded.
    pub fn standing(&self, recorded: &Head) -> Standing {
        if recorded.entries < self.base.entries {
            return Standing::Beyond;
        }
        if recorded.entries > self.head().entries {
            return Standing::Older;
        }
        let mut there = self.entries.iter();
        let there = there.find(|entry| entry.number == recorded.entries);
        let link = there.map_or(&self.base.link, |entry| &entry.link);
        if *link == recorded.link {
            Standing::Continues
        } else {
            Standing::Another
        }
    }

    /// The same ledger without the tombstones in front whose time is over; none if there are none.
    pub fn without_expired(&self, now: DateTime<Utc>) -> Option<Self> {
        let is_over = |entry: &&Entry| entry.tombstone.expires_at <= now;
        let over = self.entries.iter().take_while(is_over).count();
        let (gone, kept) = self.entries.split_at(over);
        let last = gone.last()?;
        Some(Self {
            key: self.key.clone(),
            base: Base::sealed(last.number, last.link.clone(), &self.key),
            entries: kept.to_vec(),
        })
    }

    /// A tombstone as the next line.
    fn entry(&self, tombstone: Tombstone) -> Entry {
        let before = self.head();
        let number = before.entries + 1;
        let text = format!(
            "{} {number} {} {} {}",
            before.link,
            tombstone.subject,
            tombstone.at.timestamp_micros(),
            tombstone.expires_at.timestamp_micros()
        );
        Entry {
            number,
            tombstone,
            link: self.key.hash(text.as_bytes()),
        }
    }
}

impl Base {
    fn sealed(entries: u64, link: String, key: &PurposeKey) -> Self {
        let seal = key.hash(format!("{entries} {link} and none before").as_bytes());
        Self {
            entries,
            link,
            seal,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn key() -> PurposeKey {
        PurposeKey::from_bytes([7; 32])
    }

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn tombstone(number: i64) -> Tombstone {
        Tombstone {
            subject: format!("{number:064}"),
            at: day(number),
            expires_at: day(number + 30),
        }
    }

    fn chain(length: i64) -> Chain {
        let mut chain = Chain::new(key());
        for number in 1..=length {
            chain.push(tombstone(number)).unwrap();
        }
        chain
    }

    fn read(text: &str) -> Result<Chain, Broken> {
        Chain::read(text, key())
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let chain = chain(3);
        let again = read(&chain.text().unwrap()).unwrap();
        assert_eq!(again.head(), chain.head());
        assert!(again.tombstones().eq(chain.tombstones()));
    }

    #[test]
    fn no_line_can_be_changed_left_out_or_moved() {
        let text = chain(4).text().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for place in 0..lines.len() - 1 {
            let mut without = lines.clone();
            without.remove(place);
            assert!(read(&without.join("\n")).is_err(), "{place} left out");
            let mut moved = lines.clone();
            moved.swap(place, place + 1);
            assert!(read(&moved.join("\n")).is_err(), "{place} moved");
        }
        assert!(read(&text.replace("1970-01-03", "1970-01-09")).is_err());
        assert!(Chain::read(&text, PurposeKey::random()).is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn a_recorded_head_tells_a_ledger_that_lost_its_end_and_one_of_another_deployment() {
        let (long, short) = (chain(3), chain(0));
        let text = long.text().unwrap();
        let cut: Vec<&str> = text.lines().take(3).collect();
        let cut = read(&cut.join("\n")).unwrap();
        assert_eq!(long.standing(&cut.head()), Standing::Continues);
        assert_eq!(long.standing(&long.head()), Standing::Continues);
        assert_eq!(cut.standing(&long.head()), Standing::Older);
        assert_eq!(long.standing(&short.head()), Standing::Another);
        assert_eq!(chain(3).standing(&long.head()), Standing::Another);
    }

    #[test]
    fn what_is_expired_goes_and_the_rest_can_still_be_checked() {
        let long = chain(5);
        assert!(long.without_expired(day(30)).is_none());
        let short = long.without_expired(day(33)).unwrap();
        assert_eq!(short.tombstones().count(), 2);
        let mut short = read(&short.text().unwrap()).unwrap();
        assert_eq!(short.head(), long.head());
        assert_eq!(short.standing(&long.head()), Standing::Continues);
        assert_eq!(short.standing(&chain(0).head()), Standing::Beyond);
        short.push(tombstone(6)).unwrap();
        let again = read(&short.text().unwrap()).unwrap();
        assert_eq!(again.standing(&long.head()), Standing::Continues);
        let empty = again.without_expired(day(99)).unwrap();
        assert_eq!(read(&empty.text().unwrap()).unwrap().head(), again.head());
    }

    #[test]
    fn somebody_is_covered_for_as_long_as_a_tombstone_of_theirs_lasts() {
        let chain = chain(1);
        let subject = tombstone(1).subject;
        assert!(chain.covers(&subject, day(31)));
        assert!(!chain.covers(&subject, day(32)));
        assert!(!chain.covers(&tombstone(2).subject, day(1)));
    }
}
