//! Projections: one worker, in the stream's order, from its own checkpoint on.

use std::time::Duration;

use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::sql;
use envelope::EventId;
use testkit::eventually;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    events_are_handled_in_the_order_of_the_stream,
    the_next_worker_goes_on_where_the_last_one_was,
    the_lease_does_not_change_hands_within_a_change,
    a_stream_made_anew_is_read_from_its_beginning,
    a_stream_that_lost_its_end_is_read_from_its_beginning,
    a_consumer_that_somebody_deletes_comes_back,
);

const SERVICE: &str = "tick-api";

async fn publish(world: &World, many: usize) -> Vec<Rated> {
    let all: Vec<Rated> = (0..many).map(|_| Rated::new()).collect();
    for rated in &all {
        world.broker.publish(&rated.as_v2()).await;
    }
    all
}

async fn have_their_effect_once(database: &Database, all: &[Rated]) {
    for rated in all {
        let id = rated.id.0;
        eventually("the event has its effect", || async {
            (World::effects_in(database, id).await > 0).then_some(())
        })
        .await;
    }
    for rated in all {
        assert_eq!(World::effects_in(database, rated.id.0).await, 1);
    }
}

async fn checkpoint(database: &Database) -> i64 {
    const CHECKPOINT: &str = "SELECT checkpoint FROM progress WHERE stream = 'RATE'";
    let mut session = database.read().await.unwrap();
    sql!(session, c => sqlx::query_scalar(CHECKPOINT).fetch_one(c).await).unwrap()
}

fn ids(all: &[Rated]) -> Vec<EventId> {
    all.iter().map(|rated| rated.id).collect()
}

async fn events_are_handled_in_the_order_of_the_stream(world: &World) {
    let database = world.open(SERVICE).await;
    let before = publish(world, 300).await;
    let projecting = Notifier::default();
    let lifecycle = &world.broker.lifecycle;
    projecting.project(world, &database, lifecycle).await;
    let after = publish(world, 300).await;
    have_their_effect_once(&database, &before).await;
    have_their_effect_once(&database, &after).await;
    assert_eq!(projecting.handled(), [ids(&before), ids(&after)].concat());
    assert_eq!(checkpoint(&database).await, 600);
}

async fn the_next_worker_goes_on_where_the_last_one_was(world: &World) {
    let database = world.open(SERVICE).await;
    let (first, second) = (Notifier::default(), Notifier::default());
    let lifecycle = Lifecycle::default();
    first.project(world, &database, &lifecycle).await;
    let before = publish(world, 20).await;
    have_their_effect_once(&database, &before).await;
    lifecycle.finish(Duration::from_secs(20)).await.unwrap();
    let after = publish(world, 20).await;
    // Ready, but not at work while the other is there.
    let standby = world.open(SERVICE).await;
    let rest = &world.broker.lifecycle;
    second.project(world, &standby, rest).await;
    have_their_effect_once(&standby, &after).await;
    assert_eq!(second.handled(), ids(&after));
}

async fn the_lease_does_not_change_hands_within_a_change(world: &World) {
    const TAKE_OVER: &str =
        "UPDATE lease SET epoch = epoch + 1, holder = 'another', leased_until = 9000000000000000";
    const GIVE_BACK: &str = "UPDATE lease SET leased_until = 0";
    let (database, other) = (world.open(SERVICE).await, world.open(SERVICE).await);
    let projecting = Notifier::default();
    let gate = projecting.close_gate();
    let lifecycle = &world.broker.lifecycle;
    projecting.project(world, &database, lifecycle).await;
    let all = publish(world, 1).await;
    gate.is_reached().await;
    let taking_over = tokio::spawn(async move {
        let mut work = other.begin().await.unwrap();
        sql!(work, c => sqlx::query(TAKE_OVER).execute(c).await.map(drop)).unwrap();
        work.commit().await.unwrap();
        other
    });
    gate.open();
    let other = taking_over.await.unwrap();
    // What was under way is committed whole, or undone; what comes later is not committed.
    let committed = checkpoint(&database).await;
    let late = publish(world, 1).await;
    gate.open();
    gate.open();
    let mut work = other.begin().await.unwrap();
    assert_eq!(checkpoint(&database).await, committed);
    assert_eq!(World::effects_in(&database, late[0].id.0).await, 0);
    sql!(work, c => sqlx::query(GIVE_BACK).execute(c).await.map(drop)).unwrap();
    work.commit().await.unwrap();
    projecting.remove_gate();
    have_their_effect_once(&database, &all).await;
    have_their_effect_once(&database, &late).await;
}

async fn a_stream_made_anew_is_read_from_its_beginning(world: &World) {
    let database = world.open(SERVICE).await;
    let projecting = Notifier::default();
    let lifecycle = &world.broker.lifecycle;
    projecting.project(world, &database, lifecycle).await;
    let before = publish(world, 5).await;
    have_their_effect_once(&database, &before).await;
    world.broker.make_anew("RATE").await;
    // Re-published, some of it, and under other sequences.
    world.broker.publish(&before[4].as_v2()).await;
    let after = publish(world, 3).await;
    have_their_effect_once(&database, &after).await;
    have_their_effect_once(&database, &before).await;
    assert_eq!(checkpoint(&database).await, 4);
}

async fn a_stream_that_lost_its_end_is_read_from_its_beginning(world: &World) {
    const AHEAD: &str =
        "UPDATE progress SET checkpoint = 9, checkpoint_time = 1 WHERE stream = 'RATE'";
    let database = world.open(SERVICE).await;
    let lifecycle = Lifecycle::default();
    Notifier::default()
        .project(world, &database, &lifecycle)
        .await;
    let before = publish(world, 5).await;
    have_their_effect_once(&database, &before).await;
    lifecycle.finish(Duration::from_secs(20)).await.unwrap();
    // As if nine had been there, and four of them were lost.
    let mut work = database.begin().await.unwrap();
    sql!(work, c => sqlx::query(AHEAD).execute(c).await.map(drop)).unwrap();
    work.commit().await.unwrap();
    let after = publish(world, 7).await;
    let lifecycle = &world.broker.lifecycle;
    Notifier::default()
        .project(world, &database, lifecycle)
        .await;
    have_their_effect_once(&database, &after).await;
    have_their_effect_once(&database, &before).await;
}

async fn a_consumer_that_somebody_deletes_comes_back(world: &World) {
    let database = world.open(SERVICE).await;
    let projecting = Notifier::default();
    let lifecycle = &world.broker.lifecycle;
    projecting.project(world, &database, lifecycle).await;
    let before = publish(world, 5).await;
    projecting.will_meet(before[2].id, [Trouble::Hiccup]);
    have_their_effect_once(&database, &before).await;
    world.broker.delete_consumer("RATE", SERVICE).await;
    let after = publish(world, 5).await;
    have_their_effect_once(&database, &after).await;
}
