//! Where people are looked for, and what was seen there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chassis::database::DatabaseError;
use scanner::{Finding, Form, Report, SHORTEST, Scanner};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::App;
use crate::needles::Needles;
use crate::store::from_json;

/// The file in which the broker lists a stream's subjects. It is rewritten two to three minutes after a
/// change, and until then names keys whose messages are gone.
const BROKER_INDEX: &str = "index.db";

/// The folders that an erasure looks through.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    data: PathBuf,
    others: Vec<PathBuf>,
}

/// What a look through the stores saw of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sight {
    /// The stores that were searched.
    pub stores: Vec<String>,
    pub files: u64,
    pub bytes: u64,
    /// How many files could not be read.
    pub unread: u64,
    /// How often the person was found, by store.
    pub found: BTreeMap<String, u64>,
    /// How often in the broker's lists of subjects.
    pub in_broker_index: u64,
    /// The names of the files; of this look only.
    #[serde(skip)]
    pub files_found: BTreeSet<String>,
}

impl Stores {
    /// The folder of all our stores, and others that hold what we keep.
    pub(crate) fn new(mut places: Vec<PathBuf>) -> Self {
        let others = places.split_off(places.len().min(1));
        Self {
            data: places.pop().unwrap_or_default(),
            others,
        }
    }

    /// The names of those that are there.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = std::fs::read_dir(&self.data).into_iter().flatten();
        let own = own.flatten().map(|entry| entry.path());
        let own = own.filter(|place| place.is_dir());
        let others = self.others.iter().filter(|place| place.exists()).cloned();
        let mut names: Vec<String> = own.chain(others).map(|place| self.name(&place)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Those in which somebody with an account and events must be found.
    pub(crate) fn expected(&self, has_events: bool) -> Vec<String> {
        let names = self.names();
        let others = self.others.iter().map(|place| self.name(place));
        let own = [("db", true), ("nats", has_events)];
        let own = own.into_iter().filter(|(_, is_expected)| *is_expected);
        own.map(|(name, _)| name.to_owned())
            .chain(others)
            .filter(|name| names.contains(name))
            .collect()
    }

    /// The store that a file belongs to: the folder below the data folder, or one of the others.
    fn name(&self, file: &Path) -> String {
        let below = file.strip_prefix(&self.data).ok();
        let own = below.and_then(|below| below.components().next());
        let other = || self.others.iter().find(|place| file.starts_with(place));
        match own {
            Some(part) => part.as_os_str().to_string_lossy().into_owned(),
            None => other().map_or_else(String::new, |place| place.display().to_string()),
        }
    }

    /// Looks for people, all in one go. It takes as long as reading every byte twice.
    pub(crate) fn look(&self, people: &[Needles]) -> anyhow::Result<Vec<Sight>> {
        let needles: Vec<(usize, String, bool)> = people
            .iter()
            .enumerate()
            .flat_map(|(person, needles)| texts(person, needles))
            .filter(|(_, text, _)| text.len() >= SHORTEST)
            .collect();
        let texts: Vec<&String> = needles.iter().map(|(_, text, _)| text).collect();
        let scanner = Scanner::new(&texts)?;
        let mut report = Report::default();
        for place in std::iter::once(&self.data).chain(&self.others) {
            if place.exists() {
                scanner.scan(place, &mut report, &mut |_| {});
            }
        }
        let mut sights = vec![self.sight(&report); people.len()];
        for finding in &report.findings {
            let needle = finding.needle.checked_sub(1).and_then(|at| needles.get(at));
            let (person, text, is_address) = needle.context("a finding of no needle")?;
            let is_theirs = !is_address || stands_alone(finding, text.len());
            if let Some(sight) = sights.get_mut(*person).filter(|_| is_theirs) {
                sight.add(self.name(&finding.file), &finding.file);
            }
        }
        Ok(sights)
    }

    fn sight(&self, report: &Report) -> Sight {
        Sight {
            stores: self.names(),
            files: report.files,
            bytes: report.bytes,
            unread: report.unread.len() as u64,
            ..Sight::default()
        }
    }
}

impl Sight {
    /// Reads what was kept of a look.
    pub(crate) fn read(text: Option<&str>) -> Result<Option<Self>, DatabaseError> {
        from_json(text, "erasure.scan")
    }

    /// The services in whose database files the person was found: `statistics.db`, `dipper.statistics.2.db-wal`.
    pub(crate) fn services(&self) -> impl Iterator<Item = &'static str> {
        let is_of = |service: &str, file: &String| file.split('.').any(|part| part == service);
        data_map::services()
            .filter(move |service| self.files_found.iter().any(|file| is_of(service, file)))
    }

    /// The stores in which the person was found.
    pub(crate) fn into_stores(self) -> Vec<String> {
        self.found.into_keys().collect()
    }

    fn add(&mut self, store: String, file: &Path) {
        if file.file_name().is_some_and(|name| name == BROKER_INDEX) {
            self.in_broker_index += 1;
        } else {
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            self.files_found.extend(name);
            *self.found.entry(store).or_default() += 1;
        }
    }
}

/// Looks for people in a thread of its own, after everybody who is served.
pub(super) async fn look(app: &App, people: Vec<Needles>) -> anyhow::Result<Vec<Sight>> {
    let stores = app.stores.clone();
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new()
        .name("scan".to_owned())
        .spawn(move || {
            give_way();
            // At the stop nobody waits any more.
            let _ = answer.send(stores.look(&people));
        })?;
    answered.await.context("the scan broke off")?
}

/// Linux has a niceness for each thread; elsewhere it is the whole process's, and stays.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::debug!(%error, "a scan cannot give way to others");
    }
}

/// What a person is looked for by, and whether that is an address.
fn texts(person: usize, needles: &Needles) -> impl Iterator<Item = (usize, String, bool)> {
    let ids = [Some(needles.user), needles.account];
    let ids = ids.into_iter().flatten().chain(needles.images.clone());
    let ids = ids.map(|id: Uuid| (id.to_string(), false));
    let emails = [needles.email.clone(), needles.new_email.clone()];
    let emails = emails.into_iter().flatten().map(|email| (email, true));
    ids.chain(emails)
        .map(move |(text, is_address)| (person, text, is_address))
}

/// Whether an address is not the end, or the beginning, of a longer one.
fn stands_alone(finding: &Finding, length: usize) -> bool {
    let Some(offset) = finding.offset.filter(|_| finding.form == Form::Text) else {
        return true;
    };
    if !finding.within.is_empty() {
        return true;
    }
    // What cannot be looked at again counts.
    around(&finding.file, offset, length).is_none_or(|(before, after)| {
        let may_lead = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte);
        let may_follow = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !before.is_some_and(may_lead) && !after.is_some_and(may_follow)
    })
}

/// The bytes before and after a place in a file.
fn around(file: &Path, offset: u64, length: usize) -> Option<(Option<u8>, Option<u8>)> {
    let front = u64::from(offset > 0);
    let file = scanner::open(file).ok()?.from_place(offset - front);
    let mut bytes = Vec::new();
    let many = front + u64::try_from(length).ok()? + 1;
    file.take(many).read_to_end(&mut bytes).ok()?;
    let front = usize::from(offset > 0);
    let before = (front == 1).then(|| bytes.first().copied()).flatten();
    Some((before, bytes.get(front + length).copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(email: &str) -> Needles {
        Needles {
            user: Uuid::new_v4(),
            account: None,
            email: Some(email.to_owned()),
            new_email: None,
            images: Vec::new(),
        }
    }

    /// A data folder with some files.
    fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Stores) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let stores = Stores::new(vec![folder.path().to_owned()]);
        (folder, stores)
    }

    #[test]
    fn a_person_is_found_by_store_and_the_brokers_index_apart() {
        let ada = needles("ada@example.org");
        let id = ada.user.to_string();
        let (_folder, stores) = folder(&[
            ("nats/store/1.blk", id.as_bytes()),
            ("nats/store/index.db", id.as_bytes()),
            ("db/tick-api.db", ada.user.as_bytes()),
            ("mail/1.json", b"to: ada@example.org"),
            ("objects/x", b"nobody"),
        ]);
        let sights = stores.look(&[ada]).unwrap();
        let found: Vec<_> = sights[0].found.iter().collect();
        let once = &1_u64;
        let expected = ["db", "mail", "nats"].map(str::to_owned);
        assert_eq!(
            found,
            expected.iter().map(|name| (name, once)).collect::<Vec<_>>()
        );
        assert_eq!((sights[0].in_broker_index, sights[0].files), (1, 5));
        assert_eq!(stores.names(), ["db", "mail", "nats", "objects"]);
        assert_eq!(stores.expected(true), ["db", "nats"]);
        assert_eq!(stores.expected(false), ["db"]);
    }

    #[test]
    fn another_address_that_holds_theirs_is_not_theirs() {
        let mails = b"to: canada@example.org, ada@example.organic.net, ada@example.org-x.net";
        let (_folder, stores) = folder(&[("mail/1.json", mails)]);
        let sights = stores.look(&[needles("ada@example.org")]).unwrap();
        assert!(sights[0].found.is_empty(), "{sights:?}");
        let (_folder, stores) = folder(&[("mail/1.json", b"ada@example.org")]);
        let sights = stores.look(&[needles("ada@example.org")]).unwrap();
        assert_eq!(sights[0].found.get("mail"), Some(&1));
    }
}
