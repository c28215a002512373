//! What can never be handled is kept with its reason, and stops nobody.

use chassis::consumers::Failure;
use chassis::consumers::dead::headers;
use chassis::database::DatabaseError;
use chassis::sql;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    a_poison_event_is_kept_and_the_others_go_on,
    of_events_handled_together_only_the_poison_is_kept,
    bytes_that_are_no_event_are_kept_as_they_came,
    a_dead_letter_is_kept_once,
    another_event_under_a_known_id_is_kept_as_a_conflict,
    of_events_that_come_together_under_one_id_the_first_counts,
    whoever_is_erased_is_in_no_conflict,
);

async fn a_poison_event_is_kept_and_the_others_go_on(world: &World) {
    let many: Vec<Rated> = (0..5).map(|_| Rated::new()).collect();
    let poison = &many[2];
    let notifier = Notifier::start(world).await;
    notifier.will_meet(poison.id, [Trouble::Poison]);
    let mut sequence = 0;
    for rated in &many {
        let place = world.broker.publish(&rated.as_v2()).await;
        if rated.id == poison.id {
            sequence = place;
        }
    }
    world.is_settled("RATE", "notifier").await;
    for rated in &many {
        let wanted = i64::from(rated.id != poison.id);
        assert_eq!(world.effects_of(rated.id.0).await, wanted);
    }

    let dead = world.broker.messages("DEAD").await;
    assert_eq!(dead.len(), 1);
    let letter = &dead[0];
    assert_eq!(
        letter.subject,
        format!("dead.rate.update.v2.{}", poison.rater)
    );
    assert_eq!(letter.event_id(), poison.id.0);
    assert_eq!(letter.header(headers::CONSUMER), "notifier");
    assert_eq!(letter.header(headers::REASON), "poison");
    assert_eq!(letter.header(headers::DETAIL), "thisistoo much");
    assert_eq!(letter.header(headers::ATTEMPTS), "1");
    assert_eq!(letter.header(headers::ORIGIN_STREAM), "RATE");
    assert_eq!(
        letter.header(headers::ORIGIN_SEQUENCE),
        sequence.to_string()
    );
}

async fn of_events_handled_together_only_the_poison_is_kept(world: &World) {
    let many: Vec<Rated> = (0..40).map(|_| Rated::new()).collect();
    for rated in &many {
        world.broker.publish(&rated.as_v2()).await;
    }
    let poisons = [&many[3], &many[20], &many[21]].map(|rated| rated.id);
    let notifier = Notifier::default();
    for poison in poisons {
        notifier.will_meet(poison, [Trouble::Poison; 40]);
    }
    notifier.run_together(world).await;
    world.is_settled("RATE", "notifier").await;
    for rated in &many {
        let wanted = i64::from(!poisons.contains(&rated.id));
        assert_eq!(world.effects_of(rated.id.0).await, wanted);
    }
    let dead = world.broker.messages("DEAD").await;
    let dead: Vec<_> = dead.iter().map(crate::broker::Kept::event_id).collect();
    assert_eq!(dead, poisons.map(|poison| poison.0));
}

async fn bytes_that_are_no_event_are_kept_as_they_came(world: &World) {
    let (rated, other) = (Rated::new(), Rated::new());
    let mut broken = rated.as_v2();
    broken.body.truncate(40);
    Notifier::start(world).await;
    world.broker.publish(&broken).await;
    world.broker.publish(&other.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.effects_of(other.id.0).await, 1);

    let dead = world.broker.messages("DEAD").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].body, broken.body.as_bytes());
    assert_eq!(dead[0].header(headers::REASON), "not-json");
}

async fn a_dead_letter_is_kept_once(world: &World) {
    let rated = Rated::new();
    let notifier = Notifier::start(world).await;
    notifier.will_meet(
        rated.id,
        [Trouble::Hiccup, Trouble::Hiccup, Trouble::Poison],
    );
    world.broker.publish(&rated.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    let dead = world.broker.messages("DEAD").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].header(headers::ATTEMPTS), "3");
    assert_eq!(world.effects_of(rated.id.0).await, 0);
}

async fn another_event_under_a_known_id_is_kept_as_a_conflict(world: &World) {
    let rated = Rated::new();
    Notifier::start(world).await;
    world.broker.publish(&rated.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    let forged = rated.of_another_image().as_v2();
    let later = Rated::by(rated.rater);
    world.broker.publish_anew(&forged).await;
    world.broker.publish_anew(&rated.as_v2()).await;
    world.broker.publish_anew(&rated.as_v1()).await;
    world.broker.publish(&later.as_v2()).await;
    world.is_settled("RATE", "notifier").await;

    expect_one_conflict(world, &forged).await;
    assert_eq!(world.effects_of(rated.id.0).await, 1);
    assert_eq!(
        world.effects_of(later.id.0).await,
        1,
        "nobody waits behind it"
    );
}

async fn of_events_that_come_together_under_one_id_the_first_counts(world: &World) {
    let (rated, other) = (Rated::new(), Rated::new());
    let forged = rated.of_another_image().as_v2();
    world.broker.publish(&rated.as_v2()).await;
    world.broker.publish_anew(&forged).await;
    world.broker.publish_anew(&rated.as_v2()).await;
    world.broker.publish(&other.as_v2()).await;
    Notifier::default().run_together(world).await;
    world.is_settled("RATE", "notifier").await;

    expect_one_conflict(world, &forged).await;
    assert_eq!(world.effects_of(rated.id.0).await, 1);
    assert_eq!(world.effects_of(other.id.0).await, 1);
}

async fn whoever_is_erased_is_in_no_conflict(world: &World) {
    let rated = Rated::new();
    Notifier::start(world).await;
    world.broker.publish(&rated.as_v2()).await;
    world.is_settled("RATE", "notifier").await;
    let mut work = world.database.begin().await.unwrap();
    work.fence(&[rated.rater.0]).await.unwrap();
    work.commit().await.unwrap();
    world
        .broker
        .publish_anew(&rated.of_another_image().as_v2())
        .await;
    world.is_settled("RATE", "notifier").await;
    assert_eq!(world.broker.count("DEAD").await, Some(0));
}

async fn expect_one_conflict(world: &World, forged: &envelope::Outgoing) {
    let dead = world.broker.messages("DEAD").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].header(headers::REASON), "conflict");
    assert_eq!(dead[0].header(headers::DETAIL), "another event has this id");
    assert_eq!(dead[0].body, forged.body.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_can_never_hold_is_not_waited_for() {
    let world = World::on_postgres().await;
    let mut session = world.database.read().await.unwrap();
    let held: Result<String, _> = sql!(session, c =>
        sqlx::query_scalar("SELECT $1::text").bind("a\0b").fetch_one(c).await);
    let error = DatabaseError::from(held.unwrap_err());
    assert!(matches!(Failure::from(error), Failure::Poison(_)));
    drop(session);
    world.end().await;
}
