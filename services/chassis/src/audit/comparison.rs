//! What one reader has of the events that were sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use envelope::{decode, derived_id, is_continued};
use futures::{StreamExt as _, stream};
use uuid::Uuid;

use super::digest::{Bucket, Digest};
use super::questions::{Again, AnswerAgain, Digests, Unknown};
use super::readers;
use super::store::{self, Row};
use crate::bus::Bus;
use crate::database::Database;
use crate::outbox::count_repairs;
use crate::rpc::{AskError, ask_service};

/// So many ids fit well into one message.
const IDS_AT_ONCE: usize = 1000;
/// What is answered again is real work, and the answerer is at it already.
const ANSWERS_AT_ONCE: usize = 4;
const MOST_ANSWERS: usize = 64;

/// An auditor's question to one reader about events of one stream.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub database: &'a Database,
    pub bus: &'a Bus,
    pub producer: &'a str,
    pub stream: &'static str,
    pub reader: &'static str,
    /// Up to this sequence, the answers of a service without a database must have arrived.
    pub answered: i64,
}

/// What came of it, by the events' positions.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The reader lacks them.
    pub lacks: Vec<i64>,
    /// The reader keeps nothing, and its answers are not here; it was asked for them.
    pub unanswered: Vec<i64>,
    /// Nothing can be told of them now.
    pub undecided: Vec<i64>,
}

impl Comparison<'_> {
    /// Compares all events that the reader reads.
    pub async fn run(&self, rows: &[Row]) -> anyhow::Result<Compared> {
        let rows = self.read_of(rows);
        let ours = digests(&rows);
        let question = Digests {
            source: self.producer.to_owned(),
            stream: self.stream.to_owned(),
            buckets: ours.keys().copied().collect(),
        };
        match ask_service(self.bus, self.reader, &question).await {
            Ok(Some(theirs)) => {
                let equal = equal_buckets(&ours, &theirs);
                let in_doubt = rows.into_iter().filter(|row| !equal.contains(&row.bucket));
                Ok(self.ask_for_each(in_doubt.collect()).await)
            }
            Ok(None) => self.look_for_answers(rows).await,
            Err(error) => Ok(self.unanswered(&rows, &error)),
        }
    }

    fn read_of<'r>(&self, rows: &'r [Row]) -> Vec<&'r Row> {
        let mut known: HashMap<&str, bool> = HashMap::new();
        let is_read = |row: &&'r Row| {
            let kind = row.kind();
            *known
                .entry(kind)
                .or_insert_with(|| readers::reads(self.reader, kind))
        };
        rows.iter().filter(is_read).collect()
    }

    /// Asks for ids where the digests differ: what the reader was told not to keep, e.g. of an
    /// erased person, or knows from another outbox, makes a difference as well.
    async fn ask_for_each(&self, rows: Vec<&Row>) -> Compared {
        let mut compared = Compared::default();
        for rows in rows.chunks(IDS_AT_ONCE) {
            let question = Unknown {
                stream: self.stream.to_owned(),
                events: rows
                    .iter()
                    .map(|row| (row.event_id, row.sent.stream_sequence))
                    .collect(),
            };
            match ask_service(self.bus, self.reader, &question).await {
                Ok(unknown) => {
                    let unknown: HashSet<Uuid> = unknown.into_iter().collect();
                    let lacking = rows.iter().filter(|row| unknown.contains(&row.event_id));
                    compared.lacks.extend(lacking.map(|row| row.sent.position));
                }
                Err(error) => {
                    let unanswered = self.unanswered(rows, &error);
                    compared.undecided.extend(unanswered.undecided);
                }
            }
        }
        compared
    }

    fn unanswered(&self, rows: &[&Row], error: &AskError) -> Compared {
        let (service, reader) = (self.database.service(), self.reader);
        tracing::debug!(service, reader, %error, "what a consumer has cannot be compared now");
        Compared {
            undecided: rows.iter().map(|row| row.sent.position).collect(),
            ..Compared::default()
        }
    }

    /// A service without a database keeps no inbox, but its answers have ids that follow from the
    /// events: whoever asked for them has them in an inbox of its own.
    async fn look_for_answers(&self, rows: Vec<&Row>) -> anyhow::Result<Compared> {
        let own = self.database.service();
        let Some(answers) = readers::answers_from(self.reader, own) else {
            return Ok(Compared::default());
        };
        let answered = self.answers_to(rows).await?;
        // They have no place in their stream if they are not there.
        let expected: Vec<(Uuid, i64)> = answered.iter().map(|(answer, _)| (*answer, 0)).collect();
        let mut session = self.database.read().await?;
        let unknown = store::unknown(&mut session, (own, answers.name), &expected).await?;
        drop(session);
        let missing = answered
            .into_iter()
            .filter(|(answer, _)| unknown.contains(answer))
            .map(|(_, row)| row);
        let (late, early): (Vec<&Row>, Vec<&Row>) =
            missing.partition(|row| row.sent.stream_sequence <= self.answered);
        Ok(Compared {
            unanswered: self.have_answered(late).await?,
            undecided: early.iter().map(|row| row.sent.position).collect(),
            ..Compared::default()
        })
    }

    /// The ids that the reader's answers to these events have. Of those that go on with another event, only their bodies
    /// tell with which.
    pub async fn answers_to<'r>(&self, rows: Vec<&'r Row>) -> anyhow::Result<Vec<(Uuid, &'r Row)>> {
        let continued = rows.iter().filter(|row| is_continued(row.kind()));
        let continued: Vec<i64> = continued.map(|row| row.sent.position).collect();
        let bodies = if continued.is_empty() {
            BTreeMap::new()
        } else {
            store::bodies(&mut self.database.read().await?, &continued).await?
        };
        let answer_to = |row: &Row| {
            let body = bodies.get(&row.sent.position);
            let decoded = body.and_then(|body| decode(&row.subject, body.as_bytes()).ok());
            let first = decoded.map_or(row.event_id.into(), |decoded| decoded.answered_as());
            derived_id(self.reader, first).0
        };
        Ok(rows.into_iter().map(|row| (answer_to(row), row)).collect())
    }

    /// Has events answered once more, and says which of them should be: of some there is nothing
    /// to say any more.
    async fn have_answered(&self, rows: Vec<&Row>) -> anyhow::Result<Vec<i64>> {
        let (now, later) = rows.split_at(rows.len().min(MOST_ANSWERS));
        let told = self.answer_again(now).await?;
        let lacking = told.iter().filter(|(_, again)| *again != Again::Needless);
        let lacking = lacking.map(|(position, _)| *position);
        Ok(lacking
            .chain(later.iter().map(|row| row.sent.position))
            .collect())
    }

    /// Has events answered once more, and says what became of each, by its position.
    pub async fn answer_again(&self, rows: &[&Row]) -> anyhow::Result<Vec<(i64, Again)>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let positions: Vec<i64> = rows.iter().map(|row| row.sent.position).collect();
        let mut session = self.database.read().await?;
        let bodies = store::bodies(&mut session, &positions).await?;
        drop(session);
        let asked = rows.iter().filter_map(|row| {
            let body = bodies.get(&row.sent.position)?.clone();
            let question = AnswerAgain {
                stream: self.stream.to_owned(),
                sequence: row.sent.stream_sequence,
                subject: row.subject.clone(),
                body,
            };
            Some(self.ask_again(row.sent.position, question))
        });
        let told: Vec<(i64, Again)> = stream::iter(asked.collect::<Vec<_>>())
            .buffer_unordered(ANSWERS_AT_ONCE)
            .collect()
            .await;
        let answered = told.iter().filter(|(_, again)| *again == Again::Answered);
        let answered = answered.count() as u64;
        if answered > 0 {
            let mut work = self.database.begin().await?;
            count_repairs(&mut work, self.stream, answered).await?;
            work.commit().await?;
        }
        Ok(told)
    }

    async fn ask_again(&self, position: i64, question: AnswerAgain) -> (i64, Again) {
        let asked = ask_service(self.bus, self.reader, &question).await;
        (position, asked.unwrap_or(Again::Later))
    }
}

/// The digests of the events by bucket. An event that was sent in two versions counts once.
fn digests(rows: &[&Row]) -> BTreeMap<i64, Digest> {
    let mut seen = HashSet::with_capacity(rows.len());
    let mut digests: BTreeMap<i64, Digest> = BTreeMap::new();
    for row in rows {
        if seen.insert(row.event_id) {
            digests.entry(row.bucket).or_default().add(row.event_id);
        }
    }
    digests
}

fn equal_buckets(ours: &BTreeMap<i64, Digest>, theirs: &[Bucket]) -> HashSet<i64> {
    theirs
        .iter()
        .filter(|bucket| ours.get(&bucket.bucket) == Some(&bucket.digest))
        .map(|bucket| bucket.bucket)
        .collect()
}
