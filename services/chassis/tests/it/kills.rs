//! The broker is killed in the middle of the work.

use std::collections::BTreeSet;

use chassis::database::Database;
use chassis::unit_of_work::Draft;
use envelope::UserId;
use testkit::eventually;
use uuid::Uuid;

use crate::broker::Kept;
use crate::notifier::Notifier;
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    nothing_is_lost_when_the_broker_is_killed,
    consumers_go_on_when_the_broker_is_back,
);

/// Ratings of one user, each committed by itself, by the service that publishes ratings.
async fn rate_as(producer: &Database, rater: UserId, times: usize) -> Vec<Uuid> {
    let mut said = Vec::new();
    for _ in 0..times {
        let rating = Rated::by(rater);
        let mut work = producer.begin().await.unwrap();
        work.publish(Draft::new(rating.event()).with_id(rating.id))
            .unwrap();
        work.commit().await.unwrap();
        said.push(rating.id.0);
    }
    said
}

async fn nothing_is_lost_when_the_broker_is_killed(world: &World) {
    let rater = UserId(Uuid::new_v4());
    let producer = world.open("tick-api").await;
    world.relay_of(&producer);
    let mut said = rate_as(&producer, rater, 50).await;
    world.broker.has_kept("RATE", 1).await;
    world.broker.kill().await;
    said.extend(rate_as(&producer, rater, 50).await);

    world.broker.has_kept("RATE", 100).await;
    let messages = world.broker.messages("RATE").await;
    let published: Vec<Uuid> = messages.iter().map(Kept::event_id).collect();
    assert_eq!(published, said);
}

async fn consumers_go_on_when_the_broker_is_back(world: &World) {
    let rater = UserId(Uuid::new_v4());
    let producer = world.open("tick-api").await;
    world.relay_of(&producer);
    Notifier::start(world).await;
    let mut said = rate_as(&producer, rater, 20).await;
    eventually("the first rating has its effect", || async {
        (world.effects_of(said[0]).await == 1).then_some(())
    })
    .await;
    world.broker.kill().await;
    said.extend(rate_as(&producer, rater, 20).await);

    eventually("all ratings have their effect", || async {
        let effects = world.count("SELECT count(*) FROM effect").await;
        (effects >= 40).then_some(())
    })
    .await;
    for id in said.into_iter().collect::<BTreeSet<Uuid>>() {
        assert_eq!(world.effects_of(id).await, 1);
    }
}
