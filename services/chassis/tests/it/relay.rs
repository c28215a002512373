//! The relay: rows of the outbox get to their streams, many together.

use chassis::bus::Bus;
use chassis::sql;
use uuid::Uuid;

use crate::broker::Kept;
use crate::redrive::{PATIENCE, Producer};
use crate::world::World;

on_both_databases!(
    events_lie_in_the_stream_in_the_order_of_their_rows_and_where_the_rows_say,
    an_event_that_the_stream_has_already_keeps_no_other_from_it,
);

async fn events_lie_in_the_stream_in_the_order_of_their_rows_and_where_the_rows_say(world: &World) {
    let producer = Producer::of(world).await;
    producer.commit(600).await;
    let relay = producer.relay().await;
    producer.has_sent(600).await;
    let places = producer.places().await;
    assert_eq!(places, (1..=600).map(Some).collect::<Vec<_>>());
    assert_eq!(ids_in_the_stream(world).await, ids_in_rows(&producer).await);
    relay.finish(PATIENCE).await.unwrap();
}

async fn an_event_that_the_stream_has_already_keeps_no_other_from_it(world: &World) {
    let producer = Producer::of(world).await;
    producer.commit(40).await;
    // As if the process had been killed before it noted that this one was sent.
    publish_row(&producer, &world.broker.connect("tick-api").await, 17).await;
    let relay = producer.relay().await;
    producer.has_sent(40).await;
    let in_the_stream = ids_in_the_stream(world).await;
    assert_eq!(in_the_stream.len(), 40);
    let rows = ids_in_rows(&producer).await.into_iter();
    for (id, place) in rows.zip(producer.places().await) {
        let place = usize::try_from(place.unwrap()).unwrap();
        assert_eq!(in_the_stream[place - 1], id, "the event at {place}");
    }
    relay.finish(PATIENCE).await.unwrap();
}

async fn ids_in_the_stream(world: &World) -> Vec<Uuid> {
    let messages = world.broker.messages("RATE").await;
    messages.iter().map(Kept::event_id).collect()
}

async fn ids_in_rows(producer: &Producer<'_>) -> Vec<Uuid> {
    const IDS: &str = "SELECT event_id FROM outbox ORDER BY position";
    let mut session = producer.database.read().await.unwrap();
    sql!(session, c => sqlx::query_scalar(IDS).fetch_all(c).await).unwrap()
}

async fn publish_row(producer: &Producer<'_>, bus: &Bus, place: i64) {
    const ROW: &str =
        "SELECT subject, message_id, body FROM outbox ORDER BY position LIMIT 1 OFFSET $1";
    let mut session = producer.database.read().await.unwrap();
    let (subject, id, body): (String, String, String) =
        sql!(session, c => sqlx::query_as(ROW).bind(place).fetch_one(c).await).unwrap();
    bus.publish(subject, &id, body.into()).await.unwrap();
}
