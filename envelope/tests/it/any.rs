//! Arbitrary parts of events.

use chrono::{DateTime, NaiveDate, Utc};
use envelope::{
    EventId, ImageId, ImageRef, ImageUrl, Metadata, OwnedImageRef, Rating, TickId, UserId, UserRef,
    rate, score, tick,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

pub fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub fn event_id() -> impl Strategy<Value = EventId> {
    uuid().prop_map(EventId)
}

fn user() -> impl Strategy<Value = UserRef> {
    uuid().prop_map(|id| UserId(id).into())
}

pub fn image_url() -> impl Strategy<Value = ImageUrl> {
    let origin = prop_oneof![
        Just(""),
        Just("http://127.0.0.1:8080"),
        Just("https://birds.example")
    ];
    (origin, uuid()).prop_map(|(origin, id)| ImageUrl::new(origin, ImageId(id)))
}

fn image() -> impl Strategy<Value = ImageRef> {
    image_url().prop_map(ImageRef::from)
}

pub fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_i64, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        uuid().prop_map(|id| Value::from(id.to_string())),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".*", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names that other producers may give their metadata, some with a meaning elsewhere.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,24}",
        ".{0,12}",
        prop_oneof![
            Just("id"),
            Just("type"),
            Just("subject"),
            Just("data"),
            Just("dippermetadata"),
            Just("dataschema")
        ]
        .prop_map(str::to_owned),
    ]
}

fn other() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(name(), json(), 0..5).prop_map(|map| {
        map.into_iter()
            .filter(|(name, _)| !Metadata::DECLARED.contains(&name.as_str()))
            .collect()
    })
}

prop_compose! {
    pub fn metadata()(
        source in "[a-zA-Z/ äß€-]{1,40}",
        time in time(),
        (correlationid, causationid) in (option::of(uuid()), option::of(uuid())),
        traceparent in option::of(".{0,60}"),
        partitionkey in option::of(".{0,60}"),
        dataclassification in option::of(".{0,30}"),
        deprecated in option::of(any::<bool>()),
        deprecationsunset in option::of("[ -~]{0,30}"),
        other in other(),
    ) -> Metadata {
        Metadata {
            source, time, correlationid, causationid, traceparent, partitionkey, dataclassification, deprecated,
            deprecationsunset, other,
        }
    }
}

fn species() -> impl Strategy<Value = tick::Species> {
    (".{1,64}", ".{1,100}", ".{1,100}").prop_map(|(id, scientific, english)| tick::Species {
        id,
        scientific,
        english,
    })
}

fn place() -> impl Strategy<Value = tick::Place> {
    (-90.0..=90.0, -180.0..=180.0, 1..=1_000_000_u32).prop_map(|(lat, lon, radius_m)| tick::Place {
        lat,
        lon,
        radius_m,
    })
}

fn date() -> impl Strategy<Value = NaiveDate> {
    time().prop_map(|time| time.date_naive())
}

prop_compose! {
    pub fn tick()(
        user in user(),
        image in image(),
        species in option::of(species()),
        seen_on in option::of(date()),
        count in option::of(1..=u32::MAX),
        place in option::of(place()),
    ) -> tick::New {
        tick::New { user, image, species, seen_on, count, place }
    }
}

prop_compose! {
    pub fn correction()(
        tick in tick(),
        id in uuid(),
        revision in 1..=u32::MAX,
        ticked_at in time(),
    ) -> tick::Update {
        let tick::New { user, image, species, seen_on, count, place } = tick;
        let tick = TickId(id).into();
        tick::Update { user, tick, image, revision, ticked_at, species, seen_on, count, place }
    }
}

prop_compose! {
    pub fn rating()(user in user(), url in image_url(), owner in uuid(), rating in 1..=5_i64) -> rate::v2_0::Update {
        let image = OwnedImageRef { url, owner: UserId(owner) };
        rate::v2_0::Update { user, image, rating: Rating::try_from(rating).unwrap() }
    }
}

prop_compose! {
    pub fn score()(
        image in image(),
        score in 1.0..=5.0,
        model in option::of(".{1,100}"),
        reasons in vec(".{1,50}", 0..4),
    ) -> score::Update {
        score::Update { image, score, model, reasons }
    }
}
