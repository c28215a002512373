//! A service without a database answers events with events.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chassis::clock::Clock;
use chassis::consumers::{Effects, Failure, Received};
use chassis::unit_of_work::Draft;
use envelope::{
    EventId, ImageId, ImageRef, ImageUrl, Metadata, Outgoing, UserId, derived_id, score, seal, tick,
};
use uuid::Uuid;

use crate::broker::Broker;

const MODEL: &str = "score-model";

/// How many attempts fail before the model works.
pub type Absences = Arc<AtomicUsize>;

/// A model that scores ticks, new and corrected, after so many failures.
pub fn model() -> Effects<Absences> {
    Effects::new()
        .on(async |absences: Absences, tick: Received<tick::New>| {
            score(&absences, &tick, &tick.event.image)
        })
        .on(async |absences: Absences, tick: Received<tick::Update>| {
            score(&absences, &tick, &tick.event.image)
        })
}

fn score<T>(
    absences: &Absences,
    tick: &Received<T>,
    image: &ImageRef,
) -> Result<Vec<Outgoing>, Failure> {
    let absent = absences.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    });
    if absent.is_ok() {
        return Err(Failure::Transient("a hiccup".to_owned()));
    }
    let scored = score::Update {
        image: image.clone(),
        score: 3.5,
        model: None,
        reasons: Vec::new(),
    };
    let id = derived_id(MODEL, tick.decoded.answered_as());
    let draft = Draft::caused_by(MODEL, tick.cause(), scored).with_id(id);
    let sealed = draft.seal(MODEL, &Clock::default());
    Ok(vec![
        sealed.map_err(|error| Failure::Poison(error.to_string()))?,
    ])
}

async fn start_model(broker: &Broker, absences: usize) {
    model()
        .with_state(Absences::new(absences.into()), 4)
        .run(MODEL, &broker.bus, &broker.lifecycle)
        .await
        .unwrap();
}

/// A tick by somebody.
pub fn tick() -> tick::New {
    tick::New {
        user: UserId(Uuid::new_v4()).into(),
        image: ImageUrl::new("", ImageId(Uuid::new_v4())).into(),
        species: None,
        seen_on: None,
        count: None,
        place: None,
    }
}

fn ticked() -> Outgoing {
    let metadata = Metadata::new("services/TickAPI", Clock::default().now());
    seal(EventId(Uuid::now_v7()), metadata, &tick()).unwrap()
}

#[tokio::test]
async fn a_tick_that_comes_twice_is_answered_once() {
    let broker = Broker::start().await;
    let tick = ticked();
    start_model(&broker, 0).await;
    for _ in 0..3 {
        broker.publish_anew(&tick).await;
    }
    broker.is_settled("TICK", MODEL).await;
    let scores = broker.messages("SCORE").await;
    assert_eq!(scores.len(), 1);
    assert_eq!(scores[0].event_id(), envelope::derived_id(MODEL, tick.id).0);
    let metadata = &scores[0].event()["metadata"];
    assert_eq!(metadata["causationid"], tick.id.to_string());
    assert_eq!(metadata["source"], "services/ScoreModel");
    broker.end().await;
}

#[tokio::test]
async fn a_model_that_fails_for_a_moment_is_asked_again() {
    let broker = Broker::start().await;
    start_model(&broker, 2).await;
    broker.publish(&ticked()).await;
    broker.is_settled("TICK", MODEL).await;
    assert_eq!(broker.count("SCORE").await, Some(1));
    assert_eq!(broker.count("DEAD").await, Some(0));
    broker.end().await;
}

#[tokio::test]
async fn bytes_that_are_no_tick_are_kept_and_the_others_go_on() {
    let broker = Broker::start().await;
    start_model(&broker, 0).await;
    let mut odd = ticked();
    odd.body = odd.body.replace("/images/", "/pictures/");
    broker.publish(&odd).await;
    broker.publish(&ticked()).await;
    broker.is_settled("TICK", MODEL).await;
    assert_eq!(broker.count("SCORE").await, Some(1));
    let dead = broker.messages("DEAD").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        dead[0].header(chassis::consumers::dead::headers::REASON),
        "schema"
    );
    broker.end().await;
}
