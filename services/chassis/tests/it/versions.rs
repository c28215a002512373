//! An old major of an event is published beside the newer one while somebody reads it only.

use async_nats::jetstream::consumer::{PullConsumer, pull};
use chassis::bus::old_readers::{self, OldReaders};
use chassis::bus::streams::{self, OnDrift, retirement};
use chassis::database::Database;
use chassis::outbox;
use chassis::unit_of_work::Draft;
use futures::StreamExt as _;
use testkit::eventually;
use uuid::Uuid;

use crate::broker;
use crate::notifier::Notifier;
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    who_reads_an_old_version_only_gets_every_event_once,
    nobody_reads_the_old_version_and_it_is_not_published,
    a_declared_reader_is_believed,
    both_versions_are_committed_or_neither,
    what_is_retired_is_refused_by_the_broker,
);

const OLD: &str = "rate.update.v1.*";
const NEW: &str = "rate.update.v2.*";

/// The producer of ratings, at work.
async fn producer(world: &World, readers: OldReaders) -> Database {
    let database = world
        .open("tick-api")
        .await
        .with_old_readers(readers.clone());
    let (bus, lifecycle) = (
        world.broker.connect("tick-api").await,
        &world.broker.lifecycle,
    );
    let relay = outbox::relay(database.clone(), bus.clone(), lifecycle.clone());
    lifecycle.spawn("relay", relay);
    let producer = "services/TickAPI".to_owned();
    let watching = old_readers::watch(bus, producer, readers, lifecycle.clone());
    lifecycle.spawn("old readers", watching);
    database
}

async fn reader(world: &World, filters: &[&str]) -> PullConsumer {
    let config = pull::Config {
        filter_subjects: filters.iter().map(|one| (*one).to_owned()).collect(),
        ..pull::Config::default()
    };
    let jetstream = world.broker.bus.jetstream();
    let made = jetstream.create_consumer_on_stream(config, "RATE").await;
    made.unwrap()
}

async fn commit(database: &Database, many: usize) -> Vec<Uuid> {
    let mut work = database.begin().await.unwrap();
    let mut said = Vec::with_capacity(many);
    for _ in 0..many {
        let rated = Rated::new();
        let draft = Draft::new(rated.event()).with_id(rated.id);
        said.push(work.publish(draft).unwrap().0);
    }
    work.commit().await.unwrap();
    said.sort_unstable();
    said
}

/// The ids of so many events, as a reader gets them.
async fn read(consumer: &PullConsumer, many: usize) -> Vec<Uuid> {
    let messages = consumer.messages().await.unwrap().take(many);
    let mut ids: Vec<Uuid> = messages
        .map(|message| {
            let event: serde_json::Value =
                serde_json::from_slice(&message.unwrap().payload).unwrap();
            let is_old = event["version"] == "1.0";
            assert_eq!(event["metadata"]["deprecated"] == true, is_old);
            assert_eq!(event["metadata"]["deprecationsunset"].is_string(), is_old);
            Uuid::parse_str(event["id"].as_str().unwrap()).unwrap()
        })
        .collect()
        .await;
    ids.sort_unstable();
    ids
}

async fn who_reads_an_old_version_only_gets_every_event_once(world: &World) {
    let readers = OldReaders::default();
    let database = producer(world, readers.clone()).await;
    let (old, new) = (reader(world, &[OLD]).await, reader(world, &[NEW]).await);
    let going = envelope::catalogue::DEPRECATED[0];
    eventually("the old reader is seen", || async {
        readers.read(going).then_some(())
    })
    .await;
    let said = commit(&database, 30).await;
    assert_eq!(read(&old, 30).await, said);
    assert_eq!(read(&new, 30).await, said);
    assert_eq!(world.broker.count("RATE").await, Some(60));

    let jetstream = world.broker.bus.jetstream();
    let name = &old.cached_info().name;
    jetstream
        .delete_consumer_from_stream(name, "RATE")
        .await
        .unwrap();
    eventually("the old reader is gone", || async {
        (!readers.read(going)).then_some(())
    })
    .await;
    commit(&database, 5).await;
    assert_eq!(read(&new, 5).await.len(), 5);
    assert_eq!(world.broker.count("RATE").await, Some(65));
}

async fn nobody_reads_the_old_version_and_it_is_not_published(world: &World) {
    let database = producer(world, OldReaders::default()).await;
    let new = reader(world, &[OLD, NEW]).await;
    let said = commit(&database, 10).await;
    assert_eq!(read(&new, 10).await, said);
    assert_eq!(world.broker.count("RATE").await, Some(10));
}

async fn a_declared_reader_is_believed(world: &World) {
    let readers = OldReaders::declared(["rate.update@1".to_owned()]);
    let database = producer(world, readers).await;
    let said = commit(&database, 10).await;
    let old = reader(world, &[OLD]).await;
    assert_eq!(read(&old, 10).await, said);
}

async fn both_versions_are_committed_or_neither(world: &World) {
    const ROWS: &str = "SELECT count(*) FROM outbox";
    let readers = OldReaders::declared(["rate.update@1".to_owned()]);
    let database = world.database.clone().with_old_readers(readers);
    let mut dropped = database.begin().await.unwrap();
    dropped.publish(Draft::new(Rated::new().event())).unwrap();
    drop(dropped);
    assert_eq!(world.count(ROWS).await, 0);
    commit(&database, 1).await;
    assert_eq!(world.count(ROWS).await, 2);
}

async fn what_is_retired_is_refused_by_the_broker(world: &World) {
    let (bus, jetstream) = (&world.broker.bus, world.broker.bus.jetstream());
    let going = envelope::catalogue::DEPRECATED[0];
    let before = Rated::new();
    world.broker.publish(&before.as_v1()).await;
    let old = reader(world, &[OLD]).await;
    let name = &old.cached_info().name;
    let refused = retirement::retire(bus, going, &[]).await.unwrap_err();
    assert!(refused.to_string().contains(name), "{refused}");
    jetstream
        .delete_consumer_from_stream(name, "RATE")
        .await
        .unwrap();
    let refused = retirement::retire(bus, going, &[going.name()]).await;
    assert!(refused.unwrap_err().to_string().contains("old_readers"));

    retirement::retire(bus, going, &[]).await.unwrap();
    retirement::retire(bus, going, &[]).await.unwrap();
    let late = Rated::new().as_v1();
    let (subject, body) = (late.subject.clone(), late.body.clone().into());
    assert!(bus.publish(subject, &late.message_id, body).await.is_err());
    // A restart finds nothing to complain of, and what was published before is read as before.
    let ensured = streams::ensure(bus, &broker::settings(), OnDrift::Refuse).await;
    ensured.unwrap();
    let after = Rated::new();
    world.broker.publish(&after.as_v2()).await;
    Notifier::start(world).await;
    world.is_settled("RATE", "notifier").await;
    for rated in [before, after] {
        assert_eq!(world.effects_of(rated.id.0).await, 1);
    }
}
