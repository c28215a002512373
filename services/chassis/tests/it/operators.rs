//! What an operator sees of events that failed, and can do about them.

use chassis::bus::Bus;
use chassis::deliveries::{self, HowMany, Parked, Place, Replay, Replayed, Skip, Status, Which};
use chassis::rpc::{CommonQuestion, ask_service};
use envelope::{EventId, UserId};
use testkit::eventually;
use uuid::Uuid;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    after_a_repair_a_replay_brings_the_rest_of_its_key_along,
    a_replay_that_fails_again_says_why,
    a_replay_of_what_cannot_be_read_says_so,
    what_is_skipped_never_has_its_effect,
    two_replays_at_once_have_one_effect,
    how_many_events_are_where,
);

/// A notifier at work, and somebody who asks it.
struct Operator {
    bus: Bus,
    notifier: Notifier,
}

impl Operator {
    async fn of(world: &World) -> Self {
        let (bus, lifecycle) = (&world.broker.bus, &world.broker.lifecycle);
        let answers = deliveries::answers(&world.database, bus);
        answers
            .serve(bus, &crate::world::keys(), lifecycle)
            .await
            .unwrap();
        Self {
            bus: world.broker.connect("admin-api").await,
            notifier: Notifier::start(world).await,
        }
    }

    async fn ask<Q: CommonQuestion>(&self, question: Q) -> Q::Answer {
        let answer = ask_service(&self.bus, "notifier", &question).await;
        answer.unwrap()
    }

    async fn failed(&self) -> Vec<Parked> {
        let question = Which {
            status: Some(Status::Failed),
            after: None,
            limit: 10,
        };
        self.ask(question).await
    }

    /// Asks until it is known what came of it.
    async fn replay(&self, place: &Place) -> Replayed {
        eventually("it is known what came of the replay", || async {
            let place = place.clone();
            let answer = self.ask(Replay { place }).await;
            (answer != Replayed::UnderWay).then_some(answer)
        })
        .await
    }
}

fn anybody() -> UserId {
    UserId(Uuid::new_v4())
}

/// A poison event of somebody, and three that wait behind it.
async fn poison(world: &World, operator: &Operator) -> Vec<EventId> {
    let user = anybody();
    let all: Vec<Rated> = (0..4).map(|_| Rated::by(user)).collect();
    operator.notifier.will_meet(all[0].id, [Trouble::Poison; 9]);
    for rated in &all {
        world.broker.publish(&rated.as_v2()).await;
    }
    world.is_settled("RATE", "notifier").await;
    all.iter().map(|rated| rated.id).collect()
}

async fn after_a_repair_a_replay_brings_the_rest_of_its_key_along(world: &World) {
    let operator = Operator::of(world).await;
    let all = poison(world, &operator).await;
    let failed = operator.failed().await;
    assert_eq!(failed.len(), 1);
    let one = &failed[0];
    assert_eq!(one.event, "rate.update.v2");
    assert_eq!(one.event_id, Some(all[0].0));
    assert_eq!(
        (one.reason.as_str(), one.attempts, one.behind),
        ("poison", 1, 3)
    );

    operator.notifier.repair();
    assert_eq!(operator.replay(&one.place).await, Replayed::Completed);
    world.is_settled("RATE", "notifier").await;
    for id in &all {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
    assert_eq!(operator.notifier.handled(), all);
    assert_eq!(operator.failed().await, []);
}

async fn a_replay_that_fails_again_says_why(world: &World) {
    let operator = Operator::of(world).await;
    let all = poison(world, &operator).await;
    let place = operator.failed().await[0].place.clone();
    let failed_again = Replayed::Failed {
        reason: "poison".to_owned(),
        detail: "this\nis\rtoo much".to_owned(),
    };
    assert_eq!(operator.replay(&place).await, failed_again);
    let failed = operator.failed().await;
    assert_eq!((failed[0].attempts, failed[0].behind), (2, 3));
    for id in all {
        assert_eq!(world.effects_of(id.0).await, 0);
    }
}

async fn a_replay_of_what_cannot_be_read_says_so(world: &World) {
    let operator = Operator::of(world).await;
    let mut broken = Rated::new().as_v2();
    broken.body.truncate(20);
    world.broker.publish(&broken).await;
    world.is_settled("RATE", "notifier").await;
    let failed = operator.failed().await;
    let answer = operator.replay(&failed[0].place).await;
    assert!(matches!(answer, Replayed::Failed { reason, .. } if reason == "not-json"));
    assert_eq!(operator.failed().await, failed);
}

async fn what_is_skipped_never_has_its_effect(world: &World) {
    let operator = Operator::of(world).await;
    let all = poison(world, &operator).await;
    let place = operator.failed().await[0].place.clone();
    operator.notifier.repair();
    assert!(
        operator
            .ask(Skip {
                place: place.clone()
            })
            .await
    );
    assert!(!operator.ask(Skip { place }).await);
    world.is_settled("RATE", "notifier").await;
    for (position, id) in all.iter().enumerate() {
        let wanted = i64::from(position > 0);
        assert_eq!(world.effects_of(id.0).await, wanted);
    }
}

async fn two_replays_at_once_have_one_effect(world: &World) {
    let operator = Operator::of(world).await;
    let all = poison(world, &operator).await;
    let place = operator.failed().await[0].place.clone();
    operator.notifier.repair();
    let (one, other) = tokio::join!(operator.replay(&place), operator.replay(&place));
    assert_eq!([one, other], [Replayed::Completed, Replayed::Completed]);
    world.is_settled("RATE", "notifier").await;
    for id in all {
        assert_eq!(world.effects_of(id.0).await, 1);
    }
}

async fn how_many_events_are_where(world: &World) {
    let operator = Operator::of(world).await;
    let waiting = Rated::new();
    operator
        .notifier
        .will_meet(waiting.id, [Trouble::Absence; 99]);
    world.broker.publish(&waiting.as_v2()).await;
    let user = anybody();
    for _ in 0..2 {
        world.broker.publish(&Rated::by(user).as_v2()).await;
    }
    let poison = Rated::by(user);
    operator.notifier.will_meet(poison.id, [Trouble::Poison; 9]);
    world.broker.publish(&poison.as_v2()).await;
    world.broker.publish(&Rated::by(user).as_v2()).await;
    let counts = eventually("all have been looked at", || async {
        let counts = operator.ask(HowMany {}).await;
        let rate = counts.into_iter().find(|one| one.stream == "RATE")?;
        (rate.failed == 1 && rate.unprocessed == 1 && rate.in_progress == 0).then_some(rate)
    })
    .await;
    assert_eq!((counts.completed, counts.error, counts.retry), (2, 1, 0));
    assert!(counts.oldest_seconds.is_some());
    operator.notifier.repair();
}
