//! Streams are as the catalogue says.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::stream::StorageType;
use chassis::bus::BusError;
use chassis::bus::streams::{OnDrift, config, ensure};
use envelope::STREAMS;
use futures::TryStreamExt as _;

use crate::broker::{Broker, settings};
use crate::ratings::Rated;

async fn names(broker: &Broker) -> BTreeSet<String> {
    let names = broker.bus.jetstream().stream_names();
    names.try_collect().await.unwrap()
}

#[tokio::test]
async fn missing_streams_are_made_and_those_that_are_there_stay() {
    let broker = Broker::empty().await;
    assert!(names(&broker).await.is_empty());
    ensure(&broker.bus, &settings(), OnDrift::Refuse)
        .await
        .unwrap();
    let wanted: BTreeSet<String> = STREAMS
        .iter()
        .map(|stream| stream.name.to_owned())
        .collect();
    assert_eq!(names(&broker).await, wanted);

    broker.publish(&Rated::new().as_v2()).await;
    for on_drift in [OnDrift::Refuse, OnDrift::Update] {
        ensure(&broker.bus, &settings(), on_drift).await.unwrap();
    }
    assert_eq!(broker.count("RATE").await, Some(1));
    broker.end().await;
}

#[tokio::test]
async fn a_changed_stream_is_refused_by_name_and_repaired_on_demand() {
    let broker = Broker::start().await;
    let mut changed = config(envelope::stream("RATE").unwrap(), &settings());
    changed.max_age = Duration::from_hours(1);
    changed.max_messages = 17;
    broker
        .bus
        .jetstream()
        .update_stream(&changed)
        .await
        .unwrap();
    broker.publish(&Rated::new().as_v2()).await;

    let refused = ensure(&broker.bus, &settings(), OnDrift::Refuse).await;
    let why = format!("{:#}", refused.unwrap_err());
    assert!(why.starts_with("stream RATE: differs"), "{why}");
    assert!(why.contains("max_age is 3600s, should be 0ns"), "{why}");
    assert!(why.contains("max_messages is 17, should be -1"), "{why}");

    ensure(&broker.bus, &settings(), OnDrift::Update)
        .await
        .unwrap();
    ensure(&broker.bus, &settings(), OnDrift::Refuse)
        .await
        .unwrap();
    assert_eq!(broker.count("RATE").await, Some(1));
    broker.end().await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_repaired_says_why() {
    let broker = Broker::empty().await;
    let mut in_memory = config(envelope::stream("TICK").unwrap(), &settings());
    in_memory.storage = StorageType::Memory;
    let made = broker.bus.jetstream().create_stream(in_memory);
    made.await.unwrap();
    let refused = ensure(&broker.bus, &settings(), OnDrift::Update).await;
    let why = format!("{:#}", refused.unwrap_err());
    assert!(why.contains("cannot be changed"), "{why}");
    assert!(why.contains("storage is Memory, should be File"), "{why}");
    broker.end().await;
}

#[tokio::test]
async fn an_event_without_a_stream_is_not_taken_for_published() {
    let broker = Broker::empty().await;
    let rated = Rated::new();
    let event = rated.as_v2();
    let published = broker
        .bus
        .publish(event.subject, &event.message_id, event.body.into());
    let refused = published.await.unwrap_err();
    assert!(matches!(refused, BusError::NotPublished { .. }));
    assert!(!refused.to_string().contains(&rated.rater.to_string()));
    broker.end().await;
}
