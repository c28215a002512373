//! What was sent reaches all its consumers, whatever becomes of it in between.

use std::collections::BTreeSet;
use std::time::Duration;

use chassis::audit::{self, Pace};
use chassis::bus::old_readers::OldReaders;
use chassis::consumers::{BoundConsumers, Deliveries, Failure, Handled};
use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::unit_of_work::Draft;
use chassis::{outbox, sql};
use envelope::UserId;
use serde_json::Value;
use testkit::eventually;
use uuid::Uuid;

use crate::broker::Kept;
use crate::effects::{self, Absences};
use crate::notifier::{Notifier, note};
use crate::ratings::Rated;
use crate::world::World;

on_both_databases!(
    when_all_is_well_everything_is_matched_and_nothing_is_published_again,
    what_is_not_matched_is_kept_however_old_it_is,
    what_its_stream_keeps_for_a_time_is_not_kept_longer,
    a_message_that_somebody_deleted_reaches_its_consumers,
    a_flipped_bit_in_the_store_loses_nothing,
    a_block_that_was_cut_short_loses_nothing,
    a_block_that_is_gone_loses_nothing,
    a_consumer_that_came_back_from_a_backup_gets_what_it_lacks,
    an_event_in_two_versions_counts_once,
    an_event_that_names_an_erased_person_is_not_missed,
    a_score_that_got_lost_is_made_again,
    handled_scores_whose_stream_was_made_anew_are_given_again,
    handled_scores_that_were_at_the_lost_end_of_their_stream_are_given_again,
    a_handled_score_that_the_server_counts_and_cannot_read_is_given_again,
);

const PATIENCE: Duration = Duration::from_secs(20);
const PACE: Pace = Pace {
    every: Duration::from_millis(200),
    settled: Duration::from_millis(500),
};
const MATCHED: &str = "SELECT count(*) FROM outbox WHERE matched_at IS NOT NULL";
const SENT: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL";
const MISSING: &str = "SELECT count(*) FROM outbox WHERE missing IS NOT NULL";
const LOST: &str = "SELECT count(*) FROM progress WHERE lost_since IS NOT NULL";
const KEPT: &str = "SELECT count(*) FROM outbox";
/// All who read ratings.
const READERS: [&str; 4] = ["notifier", "statistics", "tick-api", "user-api"];

/// TickAPI, which produces, and those who read what it does.
struct Scene<'w> {
    world: &'w World,
    producer: Database,
}

impl<'w> Scene<'w> {
    async fn of(world: &'w World) -> Self {
        let producer = world.open("tick-api").await;
        Self { world, producer }
    }

    /// Commits so many ratings.
    async fn commit(&self, many: usize) -> BTreeSet<Uuid> {
        let all: Vec<Rated> = (0..many).map(|_| Rated::new()).collect();
        self.commit_all(&all).await
    }

    async fn commit_all(&self, all: &[Rated]) -> BTreeSet<Uuid> {
        let mut work = self.producer.begin().await.unwrap();
        for rated in all {
            let draft = Draft::new(rated.event()).with_id(rated.id);
            work.publish(draft).unwrap();
        }
        work.commit().await.unwrap();
        all.iter().map(|rated| rated.id.0).collect()
    }

    /// Publishes what is committed, until a stop of its own.
    async fn relay(&self) -> Lifecycle {
        let lifecycle = Lifecycle::default();
        let bus = self.world.broker.connect("tick-api").await;
        let relay = outbox::relay(self.producer.clone(), bus, lifecycle.clone());
        lifecycle.spawn("relay", relay);
        lifecycle
    }

    async fn audit(&self) {
        let lifecycle = self.world.broker.lifecycle.clone();
        let bus = self.world.broker.connect("tick-api").await;
        let audit = audit::run(self.producer.clone(), bus, lifecycle.clone(), PACE);
        lifecycle.spawn("audit", audit);
    }

    /// A service that takes note of all that it reads.
    async fn read_as(&self, service: &'static str) -> Database {
        let database = self.answer_as(service).await;
        let bus = self.world.broker.connect(service).await;
        BoundConsumers::any((), database.clone(), note_all)
            .run(&bus, &self.world.broker.lifecycle)
            .await
            .unwrap();
        database
    }

    /// A service that answers auditors.
    async fn answer_as(&self, service: &'static str) -> Database {
        let database = self.world.open(service).await;
        let bus = self.world.broker.connect(service).await;
        let answers = audit::answers(&database);
        let keys = crate::world::keys();
        let serving = answers.serve(&bus, &keys, &self.world.broker.lifecycle);
        serving.await.unwrap();
        database
    }

    async fn read_as_all(&self) -> Vec<Database> {
        let mut readers = Vec::new();
        for service in READERS {
            readers.push(self.read_as(service).await);
        }
        readers
    }

    async fn comes_to(&self, question: &'static str, many: i64) {
        eventually("so many rows are there", || async {
            (count(&self.producer, question).await == many).then_some(())
        })
        .await;
    }

    /// Waits until every reader has every event, and the auditor knows it.
    async fn everybody_has(&self, readers: &[Database], said: &BTreeSet<Uuid>) {
        for reader in readers {
            eventually("the reader has all events", || async {
                let known = noted(reader).await;
                (*said == known).then_some(())
            })
            .await;
        }
        let many = i64::try_from(said.len()).unwrap();
        self.comes_to(MATCHED, many).await;
        assert_eq!(count(&self.producer, MISSING).await, 0);
    }

    /// Harms the store, before anybody but the producer has seen the ratings.
    async fn survives(&self, harm: impl Fn(&str, usize) -> String) {
        let relay = self.relay().await;
        let said = self.commit(60).await;
        self.comes_to(SENT, 60).await;
        let middle = said.iter().nth(30).unwrap().to_string();
        let (block, place) = self.world.broker.block_with("RATE", &middle).await;
        let block = format!("'{}'", block.display());
        self.world.broker.harm(&harm(&block, place)).await;
        let readers = self.read_as_all().await;
        self.audit().await;
        self.everybody_has(&readers, &said).await;
        relay.finish(PATIENCE).await.unwrap();
    }
}

async fn note_all((): (), mut deliveries: Deliveries<()>) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    for one in received {
        note(work, one.id, 1).await?;
    }
    Ok(deliveries.done())
}

async fn noted(reader: &Database) -> BTreeSet<Uuid> {
    const NOTED: &str = "SELECT DISTINCT event_id FROM effect";
    let mut session = reader.read().await.unwrap();
    let found: Vec<Uuid> =
        sql!(session, c => sqlx::query_scalar(NOTED).fetch_all(c).await).unwrap();
    found.into_iter().collect()
}

async fn count(database: &Database, question: &'static str) -> i64 {
    let mut session = database.read().await.unwrap();
    sql!(session, c => sqlx::query_scalar(question).fetch_one(c).await).unwrap()
}

async fn execute(database: &Database, statement: &'static str) {
    let mut work = database.begin().await.unwrap();
    sql!(work, c => sqlx::query(statement).execute(c).await.map(drop)).unwrap();
    work.commit().await.unwrap();
}

async fn when_all_is_well_everything_is_matched_and_nothing_is_published_again(world: &World) {
    const ASKED_FOR: &str = "SELECT count(*) FROM outbox WHERE message_id LIKE '%:again-%'";
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    let readers = scene.read_as_all().await;
    scene.audit().await;
    let mut said = scene.commit(40).await;
    scene.everybody_has(&readers, &said).await;
    said.extend(scene.commit(40).await);
    scene.everybody_has(&readers, &said).await;
    assert_eq!(world.broker.count("RATE").await, Some(80));
    assert_eq!(count(&scene.producer, ASKED_FOR).await, 0);
    relay.finish(PATIENCE).await.unwrap();
}

async fn what_is_not_matched_is_kept_however_old_it_is(world: &World) {
    let scene = Scene::of(world).await;
    let first = scene.relay().await;
    scene.commit(10).await;
    scene.comes_to(SENT, 10).await;
    first.finish(PATIENCE).await.unwrap();
    execute(
        &scene.producer,
        "UPDATE outbox SET sent_at = sent_at - 3600000000",
    )
    .await;
    execute(
        &scene.producer,
        "UPDATE outbox SET matched_at = sent_at WHERE stream_sequence > 7",
    )
    .await;
    let second = scene.relay().await;
    scene.comes_to(KEPT, 7).await;
    second.finish(PATIENCE).await.unwrap();
    assert_eq!(count(&scene.producer, SENT).await, 7);
}

async fn what_its_stream_keeps_for_a_time_is_not_kept_longer(world: &World) {
    let scene = Scene::of(world).await;
    let first = scene.relay().await;
    scene.commit(10).await;
    scene.comes_to(SENT, 10).await;
    first.finish(PATIENCE).await.unwrap();
    let jetstream = world.broker.bus.jetstream();
    let stream = jetstream.get_stream("RATE").await.unwrap();
    let mut config = stream.cached_info().config.clone();
    config.max_age = Duration::from_hours(2);
    jetstream.update_stream(&config).await.unwrap();
    execute(
        &scene.producer,
        "UPDATE outbox SET sent_at = sent_at - 5700000000 WHERE stream_sequence > 4",
    )
    .await;
    let second = scene.relay().await;
    scene.comes_to(KEPT, 4).await;
    second.finish(PATIENCE).await.unwrap();
}

/// The broker remembers the message's id and would take it for a repetition.
async fn a_message_that_somebody_deleted_reaches_its_consumers(world: &World) {
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    let said = scene.commit(20).await;
    scene.comes_to(SENT, 20).await;
    let stream = world.broker.bus.jetstream().get_stream("RATE").await;
    assert!(stream.unwrap().delete_message(7).await.unwrap());
    let readers = scene.read_as_all().await;
    scene.audit().await;
    scene.everybody_has(&readers, &said).await;
    assert_eq!(world.broker.count("RATE").await, Some(20));
    relay.finish(PATIENCE).await.unwrap();
}

async fn a_flipped_bit_in_the_store_loses_nothing(world: &World) {
    let flip = |block: &str, place| {
        format!("printf '\\377' | dd of={block} bs=1 seek={place} conv=notrunc 2>/dev/null")
    };
    Scene::of(world).await.survives(flip).await;
}

async fn a_block_that_was_cut_short_loses_nothing(world: &World) {
    let cut = |block: &str, place| format!("truncate -s {place} {block}");
    Scene::of(world).await.survives(cut).await;
}

async fn a_block_that_is_gone_loses_nothing(world: &World) {
    let delete = |block: &str, _| format!("rm {block}");
    Scene::of(world).await.survives(delete).await;
}

async fn a_consumer_that_came_back_from_a_backup_gets_what_it_lacks(world: &World) {
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    let readers = scene.read_as_all().await;
    let said = scene.commit(20).await;
    for reader in &readers {
        eventually("the reader has all events", || async {
            (noted(reader).await == said).then_some(())
        })
        .await;
    }
    // The broker's consumer is past what the database does not know any more.
    for table in [
        "DELETE FROM effect",
        "DELETE FROM inbox",
        "DELETE FROM digest",
    ] {
        execute(&world.database, table).await;
    }
    scene.audit().await;
    scene.everybody_has(&readers, &said).await;
    relay.finish(PATIENCE).await.unwrap();
}

async fn an_event_in_two_versions_counts_once(world: &World) {
    const ASKED_FOR: &str = "SELECT count(*) FROM outbox WHERE message_id LIKE '%:again-%'";
    let mut scene = Scene::of(world).await;
    let declared = OldReaders::declared(["rate.update@1".to_owned()]);
    scene.producer = scene.producer.with_old_readers(declared);
    let relay = scene.relay().await;
    let readers = scene.read_as_all().await;
    scene.audit().await;
    let said = scene.commit(20).await;
    scene.comes_to(MATCHED, 40).await;
    for reader in &readers {
        assert_eq!(noted(reader).await, said);
    }
    assert_eq!(world.broker.count("RATE").await, Some(40));
    assert_eq!(count(&scene.producer, ASKED_FOR).await, 0);
    relay.finish(PATIENCE).await.unwrap();
}

async fn an_event_that_names_an_erased_person_is_not_missed(world: &World) {
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    let erased = Rated::by(UserId(Uuid::new_v4()));
    let mut work = world.database.begin().await.unwrap();
    work.fence(&[erased.rater.0]).await.unwrap();
    work.commit().await.unwrap();
    for service in ["statistics", "tick-api", "user-api"] {
        scene.read_as(service).await;
    }
    scene.answer_as("notifier").await;
    Notifier::start(world).await;
    scene.audit().await;
    scene.commit_all(&[erased.clone(), Rated::new()]).await;
    scene.comes_to(MATCHED, 2).await;
    assert_eq!(world.effects_of(erased.id.0).await, 0);
    assert_eq!(world.broker.count("RATE").await, Some(2));
    relay.finish(PATIENCE).await.unwrap();
}

/// A service without a database that answers ticks with scores.
async fn start_model(world: &World) {
    let lifecycle = &world.broker.lifecycle;
    let model = effects::model().with_state(Absences::default(), 4);
    let bus = world.broker.connect("score-model").await;
    let answers = audit::stateless_answers("score-model", &bus, model.clone());
    answers
        .serve(&bus, &crate::world::keys(), lifecycle)
        .await
        .unwrap();
    model.run("score-model", &bus, lifecycle).await.unwrap();
}

/// Commits so many ticks, and tells the ids of their scores.
async fn commit_ticks(scene: &Scene<'_>, many: usize) -> Vec<Uuid> {
    let mut work = scene.producer.begin().await.unwrap();
    let ticks = (0..many).map(|_| work.publish(Draft::new(effects::tick())).unwrap());
    let scores = ticks.map(|tick| envelope::derived_id("score-model", tick).0);
    let scores = scores.collect();
    work.commit().await.unwrap();
    scores
}

async fn a_score_that_got_lost_is_made_again(world: &World) {
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    start_model(world).await;
    let scores = commit_ticks(&scene, 5).await;
    world.broker.has_kept("SCORE", 5).await;
    let (block, _) = world
        .broker
        .block_with("SCORE", &scores[2].to_string())
        .await;
    let harm = format!("rm '{}'", block.display());
    world.broker.harm(&harm).await;
    for service in READERS {
        scene.read_as(service).await;
    }
    scene.audit().await;
    scene.comes_to(MATCHED, 5).await;
    let known = noted(&scene.producer).await;
    assert!(scores.iter().all(|score| known.contains(score)));
    relay.finish(PATIENCE).await.unwrap();
}

/// Ticks that are answered with scores; nobody has read those yet.
async fn with_scores(world: &World) -> (Scene<'_>, Lifecycle, BTreeSet<Uuid>) {
    let scene = Scene::of(world).await;
    let relay = scene.relay().await;
    start_model(world).await;
    let scores: BTreeSet<Uuid> = commit_ticks(&scene, 5).await.into_iter().collect();
    world.broker.has_kept("SCORE", 5).await;
    (scene, relay, scores)
}

/// Handles what is there, until the stop.
async fn read_scores(scene: &Scene<'_>, scores: &BTreeSet<Uuid>) -> Lifecycle {
    let lifecycle = Lifecycle::default();
    let bus = scene.world.broker.connect("tick-api").await;
    let reader = BoundConsumers::any((), scene.producer.clone(), note_all);
    reader.run(&bus, &lifecycle).await.unwrap();
    eventually("all scores are handled", || async {
        scores
            .is_subset(&noted(&scene.producer).await)
            .then_some(())
    })
    .await;
    lifecycle
}

async fn has_each_once(world: &World, scores: &BTreeSet<Uuid>) {
    world.broker.has_kept("SCORE", scores.len() as u64).await;
    let messages = world.broker.messages("SCORE").await;
    let kept: BTreeSet<Uuid> = messages.iter().map(Kept::event_id).collect();
    assert_eq!((kept, messages.len()), (scores.clone(), scores.len()));
}

async fn handled_scores_whose_stream_was_made_anew_are_given_again(world: &World) {
    let (scene, relay, scores) = with_scores(world).await;
    let reading = read_scores(&scene, &scores).await;
    scene.audit().await;
    world.broker.make_anew("SCORE").await;
    has_each_once(world, &scores).await;
    scene.comes_to(LOST, 0).await;
    for lifecycle in [reading, relay] {
        lifecycle.finish(PATIENCE).await.unwrap();
    }
}

/// Has the reader believe that it handled more of the scores than there are, so that it finds at its
/// next start that their stream lost something.
async fn stop_beyond_the_end(scene: &Scene<'_>, scores: &BTreeSet<Uuid>) {
    let before = read_scores(scene, scores).await;
    before.finish(PATIENCE).await.unwrap();
    let further = "UPDATE progress SET checkpoint = checkpoint + 10 WHERE stream = 'SCORE'";
    execute(&scene.producer, further).await;
}

async fn handled_scores_that_were_at_the_lost_end_of_their_stream_are_given_again(world: &World) {
    let (scene, relay, scores) = with_scores(world).await;
    stop_beyond_the_end(&scene, &scores).await;
    // As if there had been more, and the newest that is known now lay elsewhere.
    let jetstream = world.broker.bus.jetstream();
    let stream = jetstream.get_stream("SCORE").await.unwrap();
    stream.delete_message(4).await.unwrap();
    // A server that starts knows the ids of what it has, and no others.
    world.broker.harm("true").await;
    let after = read_scores(&scene, &scores).await;
    scene.comes_to(LOST, 1).await;
    scene.audit().await;
    has_each_once(world, &scores).await;
    scene.comes_to(LOST, 0).await;
    for lifecycle in [after, relay] {
        lifecycle.finish(PATIENCE).await.unwrap();
    }
}

/// Whoever waited for all that the server counts would wait for ever.
async fn a_handled_score_that_the_server_counts_and_cannot_read_is_given_again(world: &World) {
    let (scene, relay, scores) = with_scores(world).await;
    stop_beyond_the_end(&scene, &scores).await;
    let hidden = world.broker.messages("SCORE").await.remove(2);
    let text = hidden.event_id().to_string();
    let (block, place) = world.broker.block_with("SCORE", &text).await;
    let block = block.display();
    let flip = format!("printf '\\377' | dd of='{block}' bs=1 seek={place} conv=notrunc");
    world.broker.harm(&flip).await;
    assert_eq!(world.broker.count("SCORE").await, Some(5));
    let after = read_scores(&scene, &scores).await;
    scene.comes_to(LOST, 1).await;
    scene.audit().await;
    world.broker.has_kept("SCORE", 6).await;
    let jetstream = world.broker.bus.jetstream();
    let stream = jetstream.get_stream("SCORE").await.unwrap();
    let again = stream.get_raw_message(6).await.unwrap();
    assert_eq!(again.subject.as_str(), hidden.subject);
    let again: Value = serde_json::from_slice(&again.payload).unwrap();
    assert_eq!(again["id"], text);
    scene.comes_to(LOST, 0).await;
    for lifecycle in [after, relay] {
        lifecycle.finish(PATIENCE).await.unwrap();
    }
}
