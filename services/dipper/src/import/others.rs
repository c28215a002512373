//! Events and ratings in which others stood whom an archive does not name. They get ids that say nothing: made from
//! the import's secret, so that a repetition makes the same.
//!
//! Of those who rated the person's photos nobody knows which ratings are of the same person. The first
//! rating of each photo is given to one stand-in, the second to another, and so on: so there are never more of
//! them than there were people, and no figure counts more people than there were.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, bail, ensure};
use archive::{Document, EventRecord, Row};
use chrono::{DateTime, Utc};
use envelope::catalogue::{DEPRECATED, Deprecation, RATE, RETURNED, SCORE};
use envelope::{EventId, ImageUrl, Mention, Stream, returned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::check::{Person, id, value};
use super::plan::RATINGS;

/// What is whole again.
pub(super) struct Others {
    /// Rows of ratings that the person was given.
    pub received: Vec<Row>,
    /// Events that were published on the other instance, in the order of their streams.
    pub events: Vec<(&'static Stream, Value)>,
}

impl Others {
    /// The events, each with the first word of its name.
    pub(super) fn events_by_entity(&self) -> Vec<(String, Value)> {
        let events = self.events.iter();
        events
            .map(|(stream, event)| (stream.entity.to_owned(), event.clone()))
            .collect()
    }

    /// Old majors that are among the events.
    pub(super) fn old_majors(&self) -> Vec<String> {
        let is_there = |old: &Deprecation| {
            let mut events = self.events.iter();
            events.any(|(stream, event)| {
                let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
                let major = format!("{}.", old.major);
                stream.entity == old.entity
                    && text("type") == old.kind
                    && text("version").starts_with(&major)
            })
        };
        let old = DEPRECATED.iter().filter(|old| is_there(old));
        old.map(|old| old.name()).collect()
    }

    /// The events that have had their effects in rows that are taken as they are.
    pub(super) fn done(&self) -> Vec<EventId> {
        let id = |event: &Value| Some(EventId(event.get("id")?.as_str()?.parse().ok()?));
        let streams = [RATE.name, SCORE.name];
        let events = self.events.iter();
        let done = events.filter(|(stream, _)| streams.contains(&stream.name));
        done.filter_map(|(_, event)| id(event)).collect()
    }
}

/// When somebody rated a photo, or took that back: in two versions it is one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Moment {
    image: Uuid,
    time: DateTime<Utc>,
    kind: String,
    /// Which of those at the same time.
    number: usize,
}

/// An event of the archive.
struct Record<'a> {
    stream: &'static Stream,
    time: DateTime<Utc>,
    event: &'a Row,
    /// Of an act of somebody else.
    moment: Option<Moment>,
}

/// Who did what at a moment, by numbers of stand-ins.
type Raters = HashMap<Moment, usize>;

/// Completes what the archive does not tell, and checks that each event is one.
pub(super) fn complete(
    document: &Document,
    person: &Person,
    secret: Uuid,
    now: DateTime<Utc>,
) -> anyhow::Result<Others> {
    let records = records(document, now)?;
    let ids = Ids { secret };
    let (received, raters) = received(document, person, &records, ids)?;
    let mut stand_ins: HashSet<Uuid> = raters.values().map(|rater| ids.rater(*rater)).collect();
    stand_ins.extend([person.id, Uuid::nil()]);
    let mut events = Vec::with_capacity(records.len());
    for record in &records {
        let event = whole(record, &raters, ids);
        let (decoded, _) = returned(record.stream.entity, &event)
            .with_context(|| format!("events in the archive: one of {}", record.stream.name))?;
        let mut users = decoded.people().into_iter();
        let is_known =
            users.all(|named| named.kind != Mention::User || stand_ins.contains(&named.id));
        ensure!(is_known, "an event in the archive names somebody else");
        events.push((record.stream, event));
    }
    let place = |stream: &Stream| RETURNED.iter().position(|one| one.name == stream.name);
    events.sort_by_key(|(stream, _)| place(stream));
    Ok(Others { received, events })
}

/// The ids of those who are not named.
#[derive(Clone, Copy)]
struct Ids {
    secret: Uuid,
}

impl Ids {
    fn rater(self, number: usize) -> Uuid {
        self.of(&format!("rater {number}"))
    }

    fn event(self, moment: &Moment) -> Uuid {
        let time = moment.time.timestamp_micros();
        let (image, kind, number) = (moment.image, &moment.kind, moment.number);
        self.of(&format!("event {image} {time} {kind} {number}"))
    }

    fn of(self, name: &str) -> Uuid {
        Uuid::new_v5(&self.secret, name.as_bytes())
    }
}

/// The events of streams that a person brings along, but those whose time is over.
fn records(document: &Document, now: DateTime<Utc>) -> anyhow::Result<Vec<Record<'_>>> {
    let (mut records, mut counted) = (Vec::new(), HashMap::new());
    for record in &document.events {
        let stream = envelope::stream(&record.stream);
        let stream = stream.context("an event in the archive is of a stream that is not known")?;
        if !RETURNED.iter().any(|one| one.name == stream.name) {
            continue;
        }
        let event = read(record, stream, &mut counted)?;
        let is_over = stream.retention.is_some_and(|life| event.time + life < now);
        if !is_over {
            records.push(event);
        }
    }
    Ok(records)
}

/// How many events there were of a photo, a time, a kind and a version.
type Counted = HashMap<(Uuid, DateTime<Utc>, String), usize>;

fn read<'a>(
    record: &'a EventRecord,
    stream: &'static Stream,
    counted: &mut Counted,
) -> anyhow::Result<Record<'a>> {
    let event = &record.event;
    let kind = event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(
        record.name == format!("{}.{kind}", stream.entity),
        "an event in the archive is not what its name says"
    );
    let time = event
        .get("metadata")
        .and_then(|metadata| metadata.get("time"));
    let time = time.and_then(|time| serde_json::from_value(time.clone()).ok());
    let time: DateTime<Utc> = time.context("an event in the archive has no time")?;
    let moment = if event.contains_key("id") {
        None
    } else {
        let image = rated_photo(event).filter(|_| stream.name == RATE.name);
        let image = image.context("an event in the archive has no id")?;
        let version = event
            .get("version")
            .map(ToString::to_string)
            .unwrap_or_default();
        let number = counted
            .entry((image, time, format!("{kind} {version}")))
            .or_default();
        *number += 1;
        Some(Moment {
            image,
            time,
            kind: kind.to_owned(),
            number: *number,
        })
    };
    Ok(Record {
        stream,
        time,
        event,
        moment,
    })
}

fn rated_photo(event: &Row) -> Option<Uuid> {
    let data = event.get("data")?;
    let url = data
        .pointer("/image/url")
        .or_else(|| data.get("image_url"))?;
    let url: ImageUrl = serde_json::from_value(url.clone()).ok()?;
    Some(url.image().0)
}

/// The ratings that the person was given, and who gave what by the order of each photo's.
fn received(
    document: &Document,
    person: &Person,
    records: &[Record<'_>],
    ids: Ids,
) -> anyhow::Result<(Vec<Row>, Raters)> {
    let mut photos: BTreeMap<Uuid, Photo> = BTreeMap::new();
    for moment in records.iter().filter_map(|record| record.moment.as_ref()) {
        ensure!(
            person.photos.contains(&moment.image),
            "an event in the archive is somebody else's"
        );
        let photo = photos.entry(moment.image).or_default();
        photo.moments.push(moment.clone());
    }
    let rows = document.rows(RATINGS.0, RATINGS.1);
    for row in rows.filter(|row| id(row, "rater").is_none()) {
        let (Some(image), Some(at)) = (id(row, "image"), value(row, "rated_at")) else {
            bail!("a rating in the archive has no photo or no time");
        };
        photos.entry(image).or_default().rows.push((at, row));
    }
    let (mut rows, mut raters) = (Vec::new(), Raters::new());
    for (image, photo) in photos {
        let last = photo.assign(&mut raters);
        for (number, (row, moment)) in last.into_iter().enumerate() {
            let event = moment.map_or_else(
                || ids.of(&format!("rating {image} {number}")),
                |moment| ids.event(&moment),
            );
            let mut row = row.clone();
            row.insert("rater".to_owned(), ids.rater(number).to_string().into());
            row.insert("event_id".to_owned(), event.to_string().into());
            rows.push(row);
        }
    }
    Ok((rows, raters))
}

/// What others did with a photo of the person.
#[derive(Default)]
struct Photo<'a> {
    rows: Vec<(DateTime<Utc>, &'a Row)>,
    moments: Vec<Moment>,
}

impl<'a> Photo<'a> {
    /// Gives each moment to a rater. Answers the rows in the order of their raters, each with the moment that it
    /// stands for: the last one before it was written.
    fn assign(mut self, raters: &mut Raters) -> Vec<(&'a Row, Option<Moment>)> {
        self.rows
            .sort_by_key(|(at, row)| (*at, Value::Object((*row).clone()).to_string()));
        self.moments.sort();
        self.moments.dedup();
        let mut last = Vec::with_capacity(self.rows.len());
        for (number, (at, row)) in self.rows.iter().enumerate() {
            let stands = row.get("rating").is_some_and(|rating| !rating.is_null());
            let kind = if stands { "update" } else { "delete" };
            let mut before = self.moments.iter().rev();
            let found = before.find(|moment| {
                moment.time <= *at && moment.kind == kind && !raters.contains_key(moment)
            });
            if let Some(moment) = found {
                raters.insert(moment.clone(), number);
            }
            last.push((*row, found.cloned()));
        }
        // What is not the last word of anybody was said by whoever has the next one.
        let mut next = self.rows.len();
        for moment in self.moments.into_iter().rev() {
            next = *raters.entry(moment).or_insert(next);
        }
        last
    }
}

/// The event with ids for whom it does not name. Photos that the person rated are nobody's here.
fn whole(record: &Record<'_>, raters: &Raters, ids: Ids) -> Value {
    let mut event = Value::Object(record.event.clone());
    if let Some(moment) = &record.moment {
        let rater = raters.get(moment).copied().unwrap_or_default();
        if let Some(event) = event.as_object_mut() {
            event.insert("id".to_owned(), ids.event(moment).to_string().into());
        }
        if let Some(Value::Object(data)) = event.get_mut("data") {
            data.insert("user".to_owned(), json!({"id": ids.rater(rater)}));
        }
    }
    let is_rating = record.stream.name == RATE.name && event.get("type") == Some(&json!("update"));
    if let Some(Value::Object(image)) = event.pointer_mut("/data/image").filter(|_| is_rating) {
        let nobody = || Uuid::nil().to_string().into();
        image.entry("owner").or_insert_with(nobody);
    }
    event
}
