//! The events that name a person or a photo of theirs, without what is about others.

use std::collections::{HashMap, HashSet};

use archive::{EventRecord, Row};
use envelope::{Decoded, EventId, Mention, UserId, Version, Whose, decode};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use uuid::Uuid;

use super::gather::time_of;
use crate::store::{Place, index};
use crate::{App, broker};

/// How many places are read from the index at once.
const BATCH: i64 = 500;
/// How many messages are fetched side by side.
const SIDE_BY_SIDE: usize = 16;
/// Ids of what somebody else did, and of what led to it.
const IDS_OF_ACTS: [&str; 4] = [
    "partitionkey",
    "correlationid",
    "causationid",
    "traceparent",
];

/// Events, and which photos they are about.
#[derive(Default)]
pub(super) struct Events {
    /// In the order in which they happened.
    pub records: Vec<EventRecord>,
    /// Of anybody.
    pub photos: HashSet<Uuid>,
}

/// All events that are in the streams now.
pub(super) async fn all(app: &App, user: UserId) -> anyhow::Result<Events> {
    anyhow::ensure!(
        broker::index_ends(&app.bus, &app.lifecycle)
            .await?
            .is_some(),
        "the process is stopping"
    );
    let (mut events, mut known) = (Events::default(), HashSet::new());
    let mut after = Place::before_all();
    loop {
        let mut session = app.database.read().await?;
        let places = index::places_after(&mut session, user.0, &after, BATCH).await?;
        drop(session);
        let Some(last) = places.last().cloned() else {
            break;
        };
        let found = stream::iter(places).map(|place| record(app, user, place));
        let found: Vec<Option<Found>> = found.buffered(SIDE_BY_SIDE).try_collect().await?;
        // What was published again is one event, though its stream has it twice.
        for found in found.into_iter().flatten() {
            events.photos.extend(found.photos);
            if known.insert(found.message) {
                events.records.push(found.record);
            }
        }
        after = last;
    }
    events.records.sort_by_cached_key(|record| {
        let text = Value::Object(record.event.clone()).to_string();
        (time_of(&record.event), text)
    });
    Ok(events)
}

/// An event that was found.
struct Found {
    /// Its id, in its version.
    message: (EventId, Version),
    photos: Vec<Uuid>,
    record: EventRecord,
}

/// The event at a place; none when its time was over, and none that is no event any more.
async fn record(app: &App, user: UserId, place: Place) -> anyhow::Result<Option<Found>> {
    let sequence = u64::try_from(place.sequence)?;
    let Some(message) = broker::get(&app.bus, &place.stream, sequence).await? else {
        return Ok(None);
    };
    let Ok(decoded) = decode(&message.subject, &message.payload) else {
        return Ok(None);
    };
    let Value::Object(event) = serde_json::to_value(&decoded.envelope)? else {
        return Ok(None);
    };
    let named = decoded.people().into_iter();
    let photos = named.filter(|named| named.kind == Mention::Image);
    Ok(Some(Found {
        message: (decoded.envelope.id, decoded.envelope.version),
        photos: photos.map(|named| named.id).collect(),
        record: EventRecord {
            stream: place.stream,
            name: decoded.contract.name(),
            event: about(user, &decoded, event),
        },
    }))
}

/// The event without the ids of others, and of what others did.
fn about(user: UserId, decoded: &Decoded, mut event: Row) -> Row {
    let others = decoded.mentions();
    let others: HashMap<&str, Whose> = others
        .into_iter()
        .filter(|(_, named)| named.kind == Mention::User && named.id != user.0)
        .map(|(pointer, named)| (pointer, named.whose))
        .collect();
    if let Some(data) = event.get_mut("data") {
        for pointer in others.keys() {
            remove(data, pointer);
        }
    }
    let is_act_of_another = others.values().any(|whose| *whose == Whose::Actor);
    if is_act_of_another {
        event.remove("id");
        if let Some(Value::Object(metadata)) = event.get_mut("metadata") {
            for name in IDS_OF_ACTS {
                metadata.remove(name);
            }
        }
    }
    event
}

/// Removes what a pointer of the catalogue leads to: those lead through objects, and escape nothing.
fn remove(data: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(parent)) = data.pointer_mut(parent) {
        parent.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const RATER: Uuid = Uuid::from_u128(1);
    const OWNER: Uuid = Uuid::from_u128(2);

    /// What somebody is given of a rating.
    fn rating_for(user: Uuid) -> Value {
        let image = "https://birds.example/images/6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11/2048.jpg";
        let event = json!({
            "id": Uuid::from_u128(3), "type": "update", "version": "2.0",
            "data": {"user": {"id": RATER}, "image": {"url": image, "owner": OWNER}, "rating": 4},
            "metadata": {
                "source": "services/TickAPI", "time": "2026-05-01T06:30:00Z",
                "partitionkey": RATER, "correlationid": Uuid::from_u128(3),
            },
        });
        let subject = format!("rate.update.v2.{RATER}");
        let decoded = decode(&subject, event.to_string().as_bytes()).unwrap();
        let Value::Object(event) = event else {
            return Value::Null;
        };
        Value::Object(about(UserId(user), &decoded, event))
    }

    #[test]
    fn the_owner_of_a_photo_is_not_told_who_rated_it() {
        let event = rating_for(OWNER);
        assert_eq!(event["data"]["rating"], 4);
        assert_eq!(event["data"]["image"]["owner"], OWNER.to_string());
        assert_eq!(event["metadata"]["time"], "2026-05-01T06:30:00Z");
        assert_eq!(event.get("id"), None);
        assert!(!event.to_string().contains(&RATER.to_string()), "{event}");
    }

    #[test]
    fn the_rater_is_not_told_whose_the_photo_is() {
        let event = rating_for(RATER);
        assert_eq!(event["id"], Uuid::from_u128(3).to_string());
        assert_eq!(event["data"]["user"]["id"], RATER.to_string());
        assert!(!event.to_string().contains(&OWNER.to_string()), "{event}");
    }
}
