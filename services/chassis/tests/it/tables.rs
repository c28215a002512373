//! A service's tables, across restarts.

use chassis::sql;
use chassis::unit_of_work::Draft;
use futures::future::join_all;

use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    what_was_committed_is_there_after_a_restart,
    each_service_has_tables_of_its_own,
    processes_that_start_at_the_same_moment_agree,
    events_after_a_restart_come_after_those_before_it,
    a_reader_does_not_see_a_change_in_the_making,
);

const SIGHTINGS: &str = "SELECT count(*) FROM sighting";
const SEE: &str = "INSERT INTO sighting (id, species)
    VALUES ('01234567890123456789012345678901', 'Sitta europaea')";

async fn what_was_committed_is_there_after_a_restart(world: &World) {
    world.execute(SEE).await;
    let restarted = world.open("notifier").await;
    let mut session = restarted.read().await.unwrap();
    let found: i64 = sql!(session, c => sqlx::query_scalar(SIGHTINGS).fetch_one(c).await).unwrap();
    assert_eq!(found, 1);
}

async fn each_service_has_tables_of_its_own(world: &World) {
    world.execute(SEE).await;
    let other = world.open("statistics").await;
    let mut session = other.read().await.unwrap();
    let found: i64 = sql!(session, c => sqlx::query_scalar(SIGHTINGS).fetch_one(c).await).unwrap();
    assert_eq!(found, 0);
}

async fn processes_that_start_at_the_same_moment_agree(world: &World) {
    let opened = join_all((0..4).map(|_| world.open("tick-api"))).await;
    for database in opened {
        let mut work = database.begin().await.unwrap();
        work.publish(Draft::new(Rated::new().event())).unwrap();
        work.commit().await.unwrap();
    }
}

async fn events_after_a_restart_come_after_those_before_it(world: &World) {
    const FIRST: &str = "SELECT event_id FROM outbox ORDER BY position LIMIT 1";
    let (before, after) = (Rated::new(), Rated::new());
    let mut work = world.database.begin().await.unwrap();
    work.publish(Draft::new(before.event()).with_id(before.id))
        .unwrap();
    work.commit().await.unwrap();
    // As if the clock had been set back since.
    world
        .execute("UPDATE outbox SET position = position + 3600000000")
        .await;

    let restarted = world.open("notifier").await;
    let mut work = restarted.begin().await.unwrap();
    work.publish(Draft::new(after.event()).with_id(after.id))
        .unwrap();
    work.commit().await.unwrap();
    let mut session = restarted.read().await.unwrap();
    let first: uuid::Uuid =
        sql!(session, c => sqlx::query_scalar(FIRST).fetch_one(c).await).unwrap();
    assert_eq!(first, before.id.0);
}

async fn a_reader_does_not_see_a_change_in_the_making(world: &World) {
    let mut work = world.database.begin().await.unwrap();
    sql!(work, c => sqlx::query(SEE).execute(c).await.map(drop)).unwrap();
    assert_eq!(world.count(SIGHTINGS).await, 0);
    work.commit().await.unwrap();
    assert_eq!(world.count(SIGHTINGS).await, 1);
}
