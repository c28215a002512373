//! What a stream has lost is published again.

use std::collections::BTreeSet;
use std::time::Duration;

use chassis::bus::streams;
use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::unit_of_work::Draft;
use chassis::{outbox, sql};
use envelope::UserId;
use testkit::eventually;
use uuid::Uuid;

use crate::broker::{self, Kept};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    what_a_stream_made_anew_lacks_is_published_again,
    what_lies_beyond_the_end_of_a_stream_is_published_again,
    what_has_another_event_in_its_place_is_published_again,
    a_stream_that_somebody_deletes_comes_back_with_its_events,
);

pub const PATIENCE: Duration = Duration::from_secs(20);
const SENT: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL";

/// The service whose events these are.
pub struct Producer<'w> {
    world: &'w World,
    pub database: Database,
}

impl<'w> Producer<'w> {
    /// With an empty database.
    pub async fn of(world: &'w World) -> Self {
        let database = world.open("tick-api").await;
        Self { world, database }
    }

    /// Commits a change with as many events, each of another person.
    pub async fn commit(&self, many: usize) -> BTreeSet<Uuid> {
        let mut work = self.database.begin().await.unwrap();
        let mut said = BTreeSet::new();
        for _ in 0..many {
            let rated = Rated::by(UserId(Uuid::new_v4()));
            let draft = Draft::new(rated.event()).with_id(rated.id);
            work.publish(draft).unwrap();
            said.insert(rated.id.0);
        }
        work.commit().await.unwrap();
        said
    }

    /// Publishes, and looks after what was published, until the stop.
    pub async fn relay(&self) -> Lifecycle {
        let lifecycle = Lifecycle::default();
        let bus = self.world.broker.connect("tick-api").await;
        let relay = outbox::relay(self.database.clone(), bus, lifecycle.clone());
        lifecycle.spawn("relay", relay);
        lifecycle
    }

    async fn count(&self, question: &'static str) -> i64 {
        let mut session = self.database.read().await.unwrap();
        sql!(session, c => sqlx::query_scalar(question).fetch_one(c).await).unwrap()
    }

    async fn execute(&self, statement: &'static str) {
        let mut work = self.database.begin().await.unwrap();
        sql!(work, c => sqlx::query(statement).execute(c).await.map(drop)).unwrap();
        work.commit().await.unwrap();
    }

    /// Where each event lies, as far as it is sent.
    pub async fn places(&self) -> Vec<Option<i64>> {
        const PLACES: &str = "SELECT stream_sequence FROM outbox ORDER BY position";
        let mut session = self.database.read().await.unwrap();
        sql!(session, c => sqlx::query_scalar(PLACES).fetch_all(c).await).unwrap()
    }

    /// Waits until as many are sent.
    pub async fn has_sent(&self, many: i64) {
        eventually("all events are sent", || async {
            (self.count(SENT).await == many).then_some(())
        })
        .await;
    }
}

async fn are_in_the_stream(world: &World, said: &BTreeSet<Uuid>) {
    let many = said.len() as u64;
    eventually("the stream has all events", || async {
        (world.broker.count("RATE").await? >= many).then_some(())
    })
    .await;
    let messages = world.broker.messages("RATE").await;
    let kept: BTreeSet<Uuid> = messages.iter().map(Kept::event_id).collect();
    assert_eq!(kept, *said);
}

async fn what_a_stream_made_anew_lacks_is_published_again(world: &World) {
    let producer = Producer::of(world).await;
    let mut said = producer.commit(40).await;
    let lifecycle = producer.relay().await;
    producer.has_sent(40).await;
    world.broker.make_anew("RATE").await;
    are_in_the_stream(world, &said).await;
    said.extend(producer.commit(10).await);
    are_in_the_stream(world, &said).await;
    lifecycle.finish(PATIENCE).await.unwrap();
}

async fn what_lies_beyond_the_end_of_a_stream_is_published_again(world: &World) {
    const BEYOND: &str = "SELECT count(*) FROM outbox WHERE stream_sequence > 40";
    let producer = Producer::of(world).await;
    let said = producer.commit(40).await;
    let before = producer.relay().await;
    producer.has_sent(40).await;
    before.finish(PATIENCE).await.unwrap();
    // As if the server had forgotten what it acknowledged last.
    producer
        .execute("UPDATE outbox SET stream_sequence = stream_sequence + 10")
        .await;
    let after = producer.relay().await;
    eventually("all have a place that is there", || async {
        (producer.count(BEYOND).await == 0).then_some(())
    })
    .await;
    producer.has_sent(40).await;
    are_in_the_stream(world, &said).await;
    after.finish(PATIENCE).await.unwrap();
}

async fn what_has_another_event_in_its_place_is_published_again(world: &World) {
    let producer = Producer::of(world).await;
    let said = producer.commit(40).await;
    let before = producer.relay().await;
    producer.has_sent(40).await;
    before.finish(PATIENCE).await.unwrap();
    let first = producer.places().await;
    // As if the last ten had been lost, and others been given their sequences.
    producer
        .execute(
            "UPDATE outbox SET stream_sequence = stream_sequence - 1 WHERE stream_sequence > 30",
        )
        .await;
    assert_ne!(producer.places().await, first);
    let after = producer.relay().await;
    eventually("all are where they say", || async {
        (producer.places().await == first).then_some(())
    })
    .await;
    are_in_the_stream(world, &said).await;
    after.finish(PATIENCE).await.unwrap();
}

async fn a_stream_that_somebody_deletes_comes_back_with_its_events(world: &World) {
    let producer = Producer::of(world).await;
    let said = producer.commit(40).await;
    let relay = producer.relay().await;
    producer.has_sent(40).await;
    let lifecycle = &world.broker.lifecycle;
    let setup = world.broker.connect("setup").await;
    let supervising = streams::supervise(setup, broker::settings(), lifecycle.clone());
    lifecycle.spawn("streams", supervising);
    let jetstream = world.broker.bus.jetstream();
    jetstream.delete_stream("RATE").await.unwrap();
    are_in_the_stream(world, &said).await;
    relay.finish(PATIENCE).await.unwrap();
}
