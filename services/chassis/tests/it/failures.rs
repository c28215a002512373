//! Handlers that cannot do their work now.

use testkit::eventually;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    a_handler_that_fails_for_a_moment_is_tried_again,
    an_event_waits_for_what_it_depends_on_and_delays_no_other,
    what_a_failed_attempt_did_is_undone,
);

async fn a_handler_that_fails_for_a_moment_is_tried_again(world: &World) {
    let rated = Rated::new();
    let notifier = Notifier::start(world).await;
    notifier.will_meet(rated.id, [Trouble::Hiccup, Trouble::Hiccup]);
    world.broker.publish(&rated.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    assert!(notifier.is_through(rated.id));
    assert_eq!(world.effects_of(rated.id.0).await, 1);
    assert_eq!(world.broker.count("DEAD").await, Some(0));
}

async fn an_event_waits_for_what_it_depends_on_and_delays_no_other(world: &World) {
    let (waiting, other) = (Rated::new(), Rated::new());
    let notifier = Notifier::start(world).await;
    notifier.will_meet(waiting.id, [Trouble::Absence]);
    world.broker.publish(&waiting.as_v2()).await;
    world.broker.publish(&other.as_v2()).await;
    eventually("the other event has its effect", || async {
        (world.effects_of(other.id.0).await == 1).then_some(())
    })
    .await;
    assert_eq!(world.effects_of(waiting.id.0).await, 0);
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.effects_of(waiting.id.0).await, 1);
    assert_eq!(world.effects_of(other.id.0).await, 1);
}

async fn what_a_failed_attempt_did_is_undone(world: &World) {
    let many: Vec<Rated> = (0..20).map(|_| Rated::new()).collect();
    for rated in &many {
        world.broker.publish(&rated.as_v2()).await;
    }
    let notifier = Notifier::start(world).await;
    for rated in many.iter().step_by(3) {
        notifier.will_meet(rated.id, [Trouble::Hiccup, Trouble::Hiccup]);
    }
    world.is_settled("RATE", "notifier").await;
    for rated in &many {
        assert_eq!(world.effects_of(rated.id.0).await, 1);
    }
    assert_eq!(world.count("SELECT count(*) FROM outbox").await, 20);
    assert_eq!(world.count("SELECT count(*) FROM inbox").await, 20);
}
