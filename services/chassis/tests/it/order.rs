//! What comes later of one key comes later here too; nobody else waits.

use std::time::{Duration, Instant};

use chassis::lifecycle::Lifecycle;
use envelope::{EventId, UserId};
use testkit::eventually;
use uuid::Uuid;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    what_follows_a_failure_waits_for_it,
    behind_poison_all_of_its_key_waits_and_nothing_else,
    what_cannot_be_read_holds_nobody_up,
    those_who_wait_for_one_thing_ask_for_it_one_at_a_time,
    what_became_of_every_event_adds_up,
    at_the_stop_the_next_worker_gets_what_was_fetched_at_once,
);

/// Ratings of one user.
async fn publish(world: &World, user: UserId, many: usize) -> Vec<EventId> {
    let mut said = Vec::with_capacity(many);
    for _ in 0..many {
        let rated = Rated::by(user);
        world.broker.publish(&rated.as_v2()).await;
        said.push(rated.id);
    }
    said
}

fn anybody() -> UserId {
    UserId(Uuid::new_v4())
}

fn of<'a>(handled: &'a [EventId], said: &'a [EventId]) -> Vec<EventId> {
    let ours = handled.iter().filter(|id| said.contains(id));
    ours.copied().collect()
}

async fn what_follows_a_failure_waits_for_it(world: &World) {
    let notifier = Notifier::default();
    let one = publish(world, anybody(), 6).await;
    let other = publish(world, anybody(), 6).await;
    notifier.will_meet(one[1], [Trouble::Hiccup, Trouble::Hiccup]);
    notifier.will_meet(one[3], [Trouble::Absence]);
    notifier.work(world, &world.broker.lifecycle).await;
    world.is_settled("RATE", "notifier").await;
    let handled = notifier.handled();
    // A failed batch is tried again in parts: what counts is the last time.
    for said in [&one, &other] {
        let mut last: Vec<EventId> = Vec::new();
        for id in of(&handled, said) {
            last.retain(|known| *known != id);
            last.push(id);
        }
        assert_eq!(last, *said);
    }
}

async fn behind_poison_all_of_its_key_waits_and_nothing_else(world: &World) {
    const FAILED: &str = "SELECT count(*) FROM parked WHERE status = 'failed'";
    const WAITING: &str = "SELECT count(*) FROM parked WHERE status = 'waiting'";
    let notifier = Notifier::start(world).await;
    let one = anybody();
    let before = publish(world, one, 2).await;
    let poison = Rated::by(one);
    notifier.will_meet(poison.id, [Trouble::Poison; 9]);
    world.broker.publish(&poison.as_v2()).await;
    let behind = publish(world, one, 3).await;
    let other = publish(world, anybody(), 3).await;
    world.is_settled("RATE", "notifier").await;
    for id in before.iter().chain(&other) {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
    for id in behind.iter().chain([&poison.id]) {
        assert_eq!(world.effects_of(id.0).await, 0);
    }
    assert_eq!(world.count(FAILED).await, 1);
    assert_eq!(world.count(WAITING).await, 3);
}

async fn what_cannot_be_read_holds_nobody_up(world: &World) {
    let one = anybody();
    Notifier::start(world).await;
    let mut broken = Rated::by(one).as_v2();
    broken.body = broken.body.replace("\"rating\":5", "\"rating\":6");
    world.broker.publish(&broken).await;
    let after = publish(world, one, 3).await;
    world.is_settled("RATE", "notifier").await;
    for id in after {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
    assert_eq!(world.broker.count("DEAD").await, Some(1));
}

async fn those_who_wait_for_one_thing_ask_for_it_one_at_a_time(world: &World) {
    const WAITING: &str = "SELECT count(*) FROM parked WHERE status = 'error'";
    let notifier = Notifier::default();
    let mut all = Vec::new();
    for _ in 0..10 {
        all.extend(publish(world, anybody(), 1).await);
    }
    for id in &all {
        notifier.will_meet(*id, [Trouble::Absence; 40]);
    }
    notifier.work(world, &world.broker.lifecycle).await;
    eventually("all wait", || async {
        (world.count(WAITING).await == 10).then_some(())
    })
    .await;
    let asked = notifier.troubles_left();
    eventually("it is asked for once more", || async {
        (notifier.troubles_left() < asked).then_some(())
    })
    .await;
    assert_eq!(notifier.troubles_left(), asked - 1);
    notifier.repair();
    world.is_settled("RATE", "notifier").await;
    for id in all {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
}

async fn what_became_of_every_event_adds_up(world: &World) {
    const OFFERED: &str = "SELECT offered FROM progress WHERE stream = 'RATE'";
    const KNOWN: &str = "SELECT processed + repeated + erased + (SELECT count(*) FROM parked)
        FROM progress WHERE stream = 'RATE'";
    let notifier = Notifier::start(world).await;
    for round in 0..4 {
        let said = publish(world, anybody(), 5).await;
        let trouble = [Trouble::Hiccup, Trouble::Poison][round % 2];
        notifier.will_meet(said[round], [trouble; 3]);
        world.broker.publish_anew(&Rated::new().as_v2()).await;
        let again = Rated::new();
        world.broker.publish_anew(&again.as_v2()).await;
        world.broker.publish_anew(&again.as_v1()).await;
        let mut broken = Rated::new().as_v2();
        broken.body.truncate(30);
        world.broker.publish(&broken).await;
    }
    let gone = Rated::new();
    let mut work = world.database.begin().await.unwrap();
    work.fence(&[gone.rater.0]).await.unwrap();
    work.commit().await.unwrap();
    world.broker.publish(&gone.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.count(OFFERED).await, 37);
    assert_eq!(world.count(KNOWN).await, 37);
}

async fn at_the_stop_the_next_worker_gets_what_was_fetched_at_once(world: &World) {
    let (first, second) = (Notifier::default(), Notifier::default());
    let gate = first.close_gate();
    let said = publish(world, anybody(), 200).await;
    let lifecycle = Lifecycle::default();
    first.work(world, &lifecycle).await;
    gate.is_reached().await;
    lifecycle.stop();
    gate.open();
    lifecycle.finish(Duration::from_secs(20)).await.unwrap();
    let began = Instant::now();
    second.work(world, &world.broker.lifecycle).await;
    eventually("the next worker has begun", || async {
        (!second.handled().is_empty()).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(1));
    world.is_settled("RATE", "notifier").await;
    for id in said {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
}
