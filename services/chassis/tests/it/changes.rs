//! A change and the events that tell of it.

use chassis::database::DatabaseError;
use chassis::sql;
use chassis::unit_of_work::{Draft, Work, WorkError};
use envelope::{ImageId, ImageUrl, UserId, score};
use testkit::eventually;
use uuid::Uuid;

use crate::broker::Kept;
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    a_change_and_its_event_are_committed_together,
    dropped_work_leaves_neither_row_nor_event,
    an_event_that_breaks_its_schema_is_not_taken,
    events_of_one_key_keep_their_order,
    publishing_a_second_time_is_harmless,
    two_processes_that_relay_side_by_side_publish_once,
);

const SIGHTINGS: &str = "SELECT count(*) FROM sighting";
const UNSENT: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NULL";

async fn see_a_nuthatch(work: &mut Work) {
    const SEE: &str = "INSERT INTO sighting (id, species) VALUES ($1, 'Sitta europaea')";
    let id = Uuid::new_v4();
    sql!(work, c => sqlx::query(SEE).bind(id).execute(c).await.map(drop)).unwrap();
}

fn draft_of(rated: &Rated) -> Draft<envelope::rate::Update> {
    Draft::new(rated.event()).with_id(rated.id)
}

async fn all_is_sent(world: &World) {
    eventually("the outbox is sent", || async {
        (world.count(UNSENT).await == 0).then_some(())
    })
    .await;
}

async fn a_change_and_its_event_are_committed_together(world: &World) {
    let rated = Rated::new();
    let mut work = world.database.begin().await.unwrap();
    see_a_nuthatch(&mut work).await;
    let id = work.publish(draft_of(&rated)).unwrap();
    assert_eq!(id, rated.id);
    assert_eq!(
        (world.count(SIGHTINGS).await, world.count(UNSENT).await),
        (0, 0)
    );
    work.commit().await.unwrap();
    assert_eq!(
        (world.count(SIGHTINGS).await, world.count(UNSENT).await),
        (1, 1)
    );

    world.relay();
    all_is_sent(world).await;
    let messages = world.broker.messages("RATE").await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].event_id(), rated.id.0);
    assert_eq!(
        messages[0].subject,
        format!("rate.update.v2.{}", rated.rater)
    );
    assert_eq!(
        messages[0].header("Nats-Msg-Id"),
        format!("{}:v2", rated.id)
    );
    assert_eq!(
        messages[0].event()["metadata"]["source"],
        "services/Notifier"
    );
}

async fn dropped_work_leaves_neither_row_nor_event(world: &World) {
    let (dropped, kept) = (Rated::new(), Rated::new());
    let mut work = world.database.begin().await.unwrap();
    see_a_nuthatch(&mut work).await;
    work.publish(draft_of(&dropped)).unwrap();
    drop(work);

    world.relay();
    let mut work = world.database.begin().await.unwrap();
    work.publish(draft_of(&kept)).unwrap();
    work.commit().await.unwrap();
    all_is_sent(world).await;
    assert_eq!(world.count(SIGHTINGS).await, 0);
    let messages = world.broker.messages("RATE").await;
    let published: Vec<Uuid> = messages.iter().map(Kept::event_id).collect();
    assert_eq!(published, [kept.id.0]);
}

async fn an_event_that_breaks_its_schema_is_not_taken(world: &World) {
    let image = ImageUrl::new("", ImageId(Uuid::new_v4())).into();
    let impossible = score::Update {
        image,
        score: 17.0,
        model: None,
        reasons: Vec::new(),
    };
    let mut work = world.database.begin().await.unwrap();
    let refused = work.publish(Draft::new(impossible)).unwrap_err();
    assert!(matches!(refused, WorkError::Event(_)), "{refused}");
}

async fn events_of_one_key_keep_their_order(world: &World) {
    let raters: Vec<UserId> = (0..5).map(|_| UserId(Uuid::new_v4())).collect();
    let mut said: Vec<Rated> = Vec::new();
    world.relay();
    for _ in 0..20 {
        let mut work = world.database.begin().await.unwrap();
        for rater in raters.iter().chain(&raters) {
            let rated = Rated::by(*rater);
            work.publish(draft_of(&rated)).unwrap();
            said.push(rated);
        }
        work.commit().await.unwrap();
    }
    all_is_sent(world).await;

    let messages = world.broker.messages("RATE").await;
    assert_eq!(messages.len(), said.len());
    for rater in raters {
        let key = rater.to_string();
        let of_rater = messages.iter().filter(|one| one.subject.ends_with(&key));
        let published: Vec<Uuid> = of_rater.map(Kept::event_id).collect();
        let own = said.iter().filter(|rated| rated.rater == rater);
        let wanted: Vec<Uuid> = own.map(|rated| rated.id.0).collect();
        assert_eq!(published, wanted);
    }
}

async fn publishing_a_second_time_is_harmless(world: &World) {
    const PLACE: &str = "SELECT COALESCE(MAX(stream_sequence), 0) FROM outbox";
    let mut work = world.database.begin().await.unwrap();
    work.publish(draft_of(&Rated::new())).unwrap();
    work.commit().await.unwrap();
    world.relay();
    all_is_sent(world).await;
    assert_eq!(world.count(PLACE).await, 1);

    // As if the power had failed between the acknowledgement and the note of it.
    world
        .execute("UPDATE outbox SET sent_at = NULL, stream_sequence = NULL")
        .await;
    all_is_sent(world).await;
    assert_eq!(world.count(PLACE).await, 1);
    assert_eq!(world.broker.count("RATE").await, Some(1));
}

async fn two_processes_that_relay_side_by_side_publish_once(world: &World) {
    let said = commit_many(world, 200).await.unwrap();
    world.relay();
    world.relay();
    all_is_sent(world).await;
    let messages = world.broker.messages("RATE").await;
    let published: Vec<Uuid> = messages.iter().map(Kept::event_id).collect();
    assert_eq!(published, said);
}

async fn commit_many(world: &World, events: usize) -> Result<Vec<Uuid>, DatabaseError> {
    let rater = UserId(Uuid::new_v4());
    let said: Vec<Rated> = (0..events).map(|_| Rated::by(rater)).collect();
    let mut work = world.database.begin().await?;
    for rated in &said {
        work.publish(draft_of(rated)).unwrap();
    }
    work.commit().await?;
    Ok(said.iter().map(|rated| rated.id.0).collect())
}
