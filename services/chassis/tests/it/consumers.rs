//! Events have their effect once, however often they come.

use chassis::consumers::{BoundConsumers, Consumers, Deliveries, Delivery};
use chassis::lifecycle::Lifecycle;
use chassis::sql;
use envelope::rate;

use crate::notifier::{Notifier, note};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    an_event_that_comes_twice_has_one_effect,
    an_event_that_comes_again_later_has_no_further_effect,
    a_rating_told_in_both_versions_is_one_rating,
    what_follows_from_an_event_is_published_once,
    two_processes_of_a_service_share_the_events,
    an_index_sees_every_place_of_an_event,
    a_table_that_the_catalogue_does_not_declare_is_refused,
);

async fn an_event_that_comes_twice_has_one_effect(world: &World) {
    let rated = Rated::new();
    world.broker.publish_anew(&rated.as_v2()).await;
    world.broker.publish_anew(&rated.as_v2()).await;
    Notifier::start(world).await;
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.broker.count("RATE").await, Some(2));
    assert_eq!(world.effects_of(rated.id.0).await, 1);
}

async fn an_event_that_comes_again_later_has_no_further_effect(world: &World) {
    let rated = Rated::new();
    Notifier::start(world).await;
    for _ in 0..3 {
        world.broker.publish_anew(&rated.as_v2()).await;
        world.is_settled("RATE", "notifier").await;
        assert_eq!(world.effects_of(rated.id.0).await, 1);
    }
}

async fn a_rating_told_in_both_versions_is_one_rating(world: &World) {
    let (together, apart) = (Rated::new(), Rated::new());
    world.broker.publish(&together.as_v1()).await;
    world.broker.publish(&together.as_v2()).await;
    world.broker.publish(&apart.as_v2()).await;
    Notifier::start(world).await;
    world.is_settled("RATE", "notifier").await;
    world.broker.publish(&apart.as_v1()).await;
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.broker.count("RATE").await, Some(4));
    assert_eq!(world.effects_of(together.id.0).await, 1);
    assert_eq!(world.effects_of(apart.id.0).await, 1);
}

async fn what_follows_from_an_event_is_published_once(world: &World) {
    let rated = Rated::new();
    world.relay();
    Notifier::start(world).await;
    for _ in 0..3 {
        world.broker.publish_anew(&rated.as_v2()).await;
    }
    world.is_settled("RATE", "notifier").await;
    world.broker.has_kept("NOTIFICATION", 1).await;
    let told = world.broker.messages("NOTIFICATION").await;
    assert_eq!(told.len(), 1);
    let metadata = &told[0].event()["metadata"];
    assert_eq!(metadata["causationid"], rated.id.to_string());
    assert_eq!(metadata["correlationid"], rated.id.to_string());
    assert_eq!(
        told[0].event_id(),
        envelope::derived_id("notifier", rated.id).0
    );
}

async fn two_processes_of_a_service_share_the_events(world: &World) {
    let many: Vec<Rated> = (0..300).map(|_| Rated::new()).collect();
    Notifier::start(world).await;
    Notifier::start(world).await;
    for rated in &many {
        world.broker.publish_anew(&rated.as_v1()).await;
        world.broker.publish_anew(&rated.as_v2()).await;
    }
    world.is_settled("RATE", "notifier").await;
    for rated in &many {
        assert_eq!(world.effects_of(rated.id.0).await, 1);
    }
}

async fn an_index_sees_every_place_of_an_event(world: &World) {
    const NOTED: &str = "SELECT rating FROM effect WHERE event_id = $1 ORDER BY rating";
    let rated = Rated::new();
    let first = world.broker.publish(&rated.as_v1()).await;
    let second = world.broker.publish(&rated.as_v2()).await;
    let database = world.open("statistics").await;
    let index = |(): (), mut deliveries: Deliveries<()>| async move {
        let (received, work) = deliveries.parts();
        for one in received {
            let (stream, sequence) = one.origin;
            assert_eq!(stream, "RATE");
            let place = i64::try_from(sequence).unwrap_or_default();
            note(work, one.id, place).await?;
        }
        Ok(deliveries.done())
    };
    BoundConsumers::any((), database.clone(), index)
        .run(&world.broker.bus, &world.broker.lifecycle)
        .await
        .unwrap();
    world.is_settled("RATE", "statistics").await;
    let mut session = database.read().await.unwrap();
    let places: Vec<i64> =
        sql!(session, c => sqlx::query_scalar(NOTED).bind(rated.id.0).fetch_all(c).await).unwrap();
    let places: Vec<u64> = places.iter().map(|place| place.unsigned_abs()).collect();
    assert_eq!(places, [first, second]);
}

async fn a_table_that_the_catalogue_does_not_declare_is_refused(world: &World) {
    let only_ratings = Consumers::new()
        .on(|(): (), rated: Delivery<rate::Rated>| async { Ok(rated.done()) })
        .with_state((), world.database.clone());
    let lifecycle = Lifecycle::default();
    let refused = only_ratings.run(&world.broker.bus, &lifecycle).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("(\"tick\", \"new\")"), "{why}");
}
