//! The folder of caught mails: one file per mail and recipient, and an index of what is there.

pub(crate) mod files;
mod id;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

pub(crate) use self::id::MailId;
use crate::message::Message;
use crate::trace::Trace;

/// Where a mail stands in the list: by its time, and by its id within the same microsecond.
pub(crate) type Position = (DateTime<Utc>, MailId);

/// A mail as SMTP handed it over.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) content: Vec<u8>,
}

/// A part of the list, the newest first, and where the next part begins.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    pub(crate) next: Option<Position>,
}

/// The folder, with everything it does on disk blocking.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    index: Mutex<Index>,
}

/// What is safely on disk. The mails themselves stay there: an instance may run for months.
#[derive(Debug, Default)]
struct Index {
    recipients: BTreeMap<Position, String>,
    known: HashSet<MailId>,
    repeats: u64,
}

impl Index {
    fn insert(&mut self, id: MailId, trace: Trace) {
        if self.known.insert(id.clone()) {
            self.recipients
                .insert((trace.received_at, id), trace.recipient);
        }
    }

    fn remove(&mut self, position: &Position) {
        self.known.remove(&position.1);
        self.recipients.remove(position);
    }
}

impl Store {
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let unusable = || {
            format!(
                "the mail folder {} cannot be used; is it writable?",
                folder.display()
            )
        };
        files::create_folder(folder).with_context(unusable)?;
        let store = Self {
            folder: folder.to_owned(),
            index: Mutex::default(),
        };
        store.load().with_context(unusable)?;
        Ok(store)
    }

    fn load(&self) -> io::Result<()> {
        let mut index = self.index();
        for entry in self.folder.read_dir()? {
            let path = entry?.path();
            if files::is_temporary(&path) {
                // The sender of this one never heard 250 and sends it again.
                files::shred(&path)?;
            } else if let Some(id) = MailId::of_file(&path) {
                match Trace::parse(&files::head(&path)?) {
                    Some(trace) => index.insert(id, trace),
                    None => {
                        tracing::warn!(%id, "a file in the mail folder is not a caught mail; it is left out");
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns when the mail is safe on disk for every recipient; one that is there already is left as it is.
    pub(crate) fn keep(&self, mail: &Mail) -> io::Result<()> {
        for recipient in &mail.recipients {
            let id = MailId::of(&mail.content, recipient);
            if self.was_kept(&id) {
                continue;
            }
            let trace = Trace::now(&mail.sender, recipient);
            files::write(
                &self.folder,
                &id,
                &[trace.to_string().as_bytes(), &mail.content],
            )?;
            self.index().insert(id, trace);
        }
        Ok(())
    }

    fn was_kept(&self, id: &MailId) -> bool {
        let mut index = self.index();
        let known = index.known.contains(id);
        index.repeats += u64::from(known);
        known
    }

    /// How often a mail was handed over that was there already.
    pub(crate) fn repeats(&self) -> u64 {
        self.index().repeats
    }

    /// Up to `limit` mails that are older than `before`, the newest first.
    pub(crate) fn page(&self, before: Option<&Position>, limit: usize) -> Page {
        let (positions, next) = self.positions(before, limit);
        let messages = positions
            .iter()
            .filter_map(|(_, id)| self.readable(id))
            .collect();
        Page { messages, next }
    }

    fn positions(
        &self,
        before: Option<&Position>,
        limit: usize,
    ) -> (Vec<Position>, Option<Position>) {
        let index = self.index();
        let mut older: Box<dyn Iterator<Item = &Position>> = match before {
            Some(position) => Box::new(
                index
                    .recipients
                    .range(..position)
                    .rev()
                    .map(|(position, _)| position),
            ),
            None => Box::new(index.recipients.keys().rev()),
        };
        let positions: Vec<Position> = older.by_ref().take(limit).cloned().collect();
        let next = older.next().and_then(|_| positions.last().cloned());
        (positions, next)
    }

    /// One mail; `None` if there is none of this id.
    pub(crate) fn get(&self, id: &MailId) -> io::Result<Option<Message>> {
        match std::fs::read(files::path(&self.folder, id)) {
            Ok(file) => Ok(Message::read(id, &file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A list is worth more with the mails that can be read than not at all.
    fn readable(&self, id: &MailId) -> Option<Message> {
        self.get(id).unwrap_or_else(|error| {
            tracing::warn!(%id, %error, "a caught mail cannot be read; it is left out");
            None
        })
    }

    pub(crate) fn delete_for(&self, recipient: &str) -> io::Result<usize> {
        let wanted = recipient.to_lowercase();
        let of_recipient = |(position, recipient): (&Position, &String)| {
            (recipient.to_lowercase() == wanted).then(|| position.clone())
        };
        let positions: Vec<Position> = self
            .index()
            .recipients
            .iter()
            .filter_map(of_recipient)
            .collect();
        self.delete(&positions)
    }

    pub(crate) fn delete_before(&self, moment: DateTime<Utc>) -> io::Result<usize> {
        let index = self.index();
        let old = index.recipients.keys().take_while(|(at, _)| *at < moment);
        let positions: Vec<Position> = old.cloned().collect();
        drop(index);
        self.delete(&positions)
    }

    fn delete(&self, positions: &[Position]) -> io::Result<usize> {
        for position in positions {
            files::shred(&files::path(&self.folder, &position.1))?;
            self.index().remove(position);
        }
        files::sync_folder(&self.folder)?;
        Ok(positions.len())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Every change of the index is a single step, so one that panicked has left nothing half done.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
