//! Who was erased stays erased: by a write, by an event, and after a restart.

use chassis::database::Database;
use chassis::sql;
use chassis::unit_of_work::Work;
use uuid::Uuid;

use crate::notifier::Notifier;
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    an_event_that_names_an_erased_person_has_no_effect,
    the_fence_stands_after_a_restart,
    the_fence_does_not_tell_whom_it_keeps_out,
    an_erasure_sees_what_a_writer_before_it_wrote,
);

async fn fence(database: &Database, people: &[Uuid]) {
    let mut work = database.begin().await.unwrap();
    work.fence(people).await.unwrap();
    work.commit().await.unwrap();
}

async fn an_event_that_names_an_erased_person_has_no_effect(world: &World) {
    let (by, about, of) = (Rated::new(), Rated::new(), Rated::new());
    let unrelated = Rated::new();
    let erased = [by.rater.0, about.image.0, of.owner.0];
    fence(&world.database, &erased).await;
    Notifier::start(world).await;
    for rated in [&by, &about, &of, &unrelated] {
        world.broker.publish(&rated.as_v2()).await;
    }
    world.is_settled("RATE", "notifier").await;
    for rated in [by, about, of] {
        assert_eq!(world.effects_of(rated.id.0).await, 0);
    }
    assert_eq!(world.effects_of(unrelated.id.0).await, 1);
    assert_eq!(world.broker.count("DEAD").await, Some(0));
}

async fn the_fence_stands_after_a_restart(world: &World) {
    let (erased, stays) = (Uuid::new_v4(), Uuid::new_v4());
    fence(&world.database, &[erased]).await;
    fence(&world.database, &[erased]).await;
    let restarted = world.open("notifier").await;
    let mut work = restarted.begin().await.unwrap();
    assert!(work.is_erased(erased).await.unwrap());
    assert!(!work.is_erased(stays).await.unwrap());
    let among = work.erased_among(&[stays, erased]).await.unwrap();
    assert_eq!(among.into_iter().collect::<Vec<_>>(), [erased]);
}

async fn the_fence_does_not_tell_whom_it_keeps_out(world: &World) {
    let erased = Uuid::new_v4();
    fence(&world.database, &[erased]).await;
    let mut session = world.database.read().await.unwrap();
    let kept: Vec<String> =
        sql!(session, c => sqlx::query_scalar("SELECT person FROM erased").fetch_all(c).await)
            .unwrap();
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0].replace('-', ""), erased.simple().to_string());
    assert_eq!(kept[0].len(), 64);
}

/// A write that asked the fence before the erasure began is committed before the erasure looks
/// for what to delete, so nothing slips past it.
async fn an_erasure_sees_what_a_writer_before_it_wrote(world: &World) {
    const WRITE: &str = "INSERT INTO sighting (id, species) VALUES ($1, 'Sitta europaea')";
    let person = Uuid::new_v4();
    let mut writer = world.database.begin().await.unwrap();
    assert!(!writer.is_erased(person).await.unwrap());
    sql!(writer, c => sqlx::query(WRITE).bind(person).execute(c).await.map(drop)).unwrap();
    let erasure = async {
        let mut work = world.database.begin().await.unwrap();
        work.fence(&[person]).await.unwrap();
        let found = sightings(&mut work).await;
        work.commit().await.unwrap();
        found
    };
    let slow_writer = async {
        for _ in 0..50 {
            sightings(&mut writer).await;
        }
        writer.commit().await.unwrap();
    };
    let (found, ()) = tokio::join!(erasure, slow_writer);
    assert_eq!(found, 1);
}

async fn sightings(work: &mut Work) -> i64 {
    const SIGHTINGS: &str = "SELECT count(*) FROM sighting";
    sql!(work, c => sqlx::query_scalar(SIGHTINGS).fetch_one(c).await).unwrap()
}
