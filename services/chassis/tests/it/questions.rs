//! Questions between services.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chassis::rpc::{Answers, AskError, Question, Refusal, ask};
use envelope::{ImageId, UserId};
use futures::StreamExt as _;
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::Broker;

/// Whose image is this?
#[derive(Serialize, Deserialize)]
struct WhoseImage {
    image: ImageId,
}

impl Question for WhoseImage {
    const SUBJECT: &'static str = "svc.notifier.whose-image";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = UserId;
}

/// The same question as a service of another time would ask it.
#[derive(Serialize, Deserialize)]
struct WhosePicture {
    picture: u8,
}

impl Question for WhosePicture {
    const SUBJECT: &'static str = WhoseImage::SUBJECT;
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = UserId;
}

/// A question whose answer has another shape than the asker knows.
#[derive(Serialize, Deserialize)]
struct HowManyImages {
    image: ImageId,
}

impl Question for HowManyImages {
    const SUBJECT: &'static str = WhoseImage::SUBJECT;
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = u32;
}

/// The same question, when it may be asked twice.
#[derive(Serialize, Deserialize)]
struct WhoseImageAgain {
    image: ImageId,
}

impl Question for WhoseImageAgain {
    const SUBJECT: &'static str = "svc.notifier.whose-image-again";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    const IS_REPEATABLE: bool = true;
    type Answer = UserId;
}

/// What the answering service knows.
#[derive(Clone)]
struct Known {
    owner: UserId,
    image: ImageId,
    /// It thinks about this one for ever.
    riddle: ImageId,
    /// It breaks at this one.
    broken: ImageId,
}

async fn answer(known: Known, question: WhoseImage) -> Result<UserId, Refusal> {
    match question.image {
        image if image == known.image => Ok(known.owner),
        image if image == known.riddle => std::future::pending().await,
        image if image == known.broken => Err(Refusal::internal(&"a fault")),
        _ => Err(Refusal::new("no-such-image")),
    }
}

async fn start() -> (Broker, Known) {
    let broker = Broker::empty().await;
    let known = Known {
        owner: UserId(Uuid::new_v4()),
        image: ImageId(Uuid::new_v4()),
        riddle: ImageId(Uuid::new_v4()),
        broken: ImageId(Uuid::new_v4()),
    };
    Answers::new()
        .on(answer)
        .with_state(known.clone())
        .serve(&broker.bus, &crate::world::keys(), &broker.lifecycle)
        .await
        .unwrap();
    (broker, known)
}

#[tokio::test]
async fn a_question_is_answered() {
    let (broker, known) = start().await;
    let asker = broker.connect("tick-api").await;
    let question = WhoseImage { image: known.image };
    let answers = join_all((0..100).map(|_| ask(&asker, &question))).await;
    assert!(
        answers
            .into_iter()
            .all(|answer| answer.unwrap() == known.owner)
    );
    broker.end().await;
}

#[tokio::test]
async fn a_refusal_tells_its_reason_and_a_fault_does_not() {
    let (broker, known) = start().await;
    let unknown = WhoseImage {
        image: ImageId(Uuid::new_v4()),
    };
    let refused = ask(&broker.bus, &unknown).await.unwrap_err();
    assert_eq!(refused.refusal(), Some("no-such-image"));

    let faulty = WhoseImage {
        image: known.broken,
    };
    let failed = ask(&broker.bus, &faulty).await.unwrap_err();
    assert!(matches!(failed, AskError::Refused(_)));
    assert_eq!(failed.refusal(), None);
    broker.end().await;
}

#[tokio::test]
async fn a_question_that_is_not_understood_is_refused_as_malformed() {
    let (broker, _) = start().await;
    let refused = ask(&broker.bus, &WhosePicture { picture: 1 }).await;
    assert_eq!(refused.unwrap_err().refusal(), Some("malformed"));
    broker.end().await;
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_none() {
    let (broker, known) = start().await;
    let question = HowManyImages { image: known.image };
    let answer = ask(&broker.bus, &question).await;
    assert!(matches!(answer, Err(AskError::Unavailable(_))));
    broker.end().await;
}

#[tokio::test]
async fn who_asks_nobody_is_told_within_two_seconds() {
    let broker = Broker::empty().await;
    let asked = Instant::now();
    let question = WhoseImage {
        image: ImageId(Uuid::new_v4()),
    };
    let answer = ask(&broker.bus, &question).await;
    assert!(matches!(answer, Err(AskError::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_secs(3));
    broker.end().await;
}

#[tokio::test]
async fn who_is_kept_waiting_gives_up_after_two_seconds_and_others_are_answered() {
    let (broker, known) = start().await;
    let asked = Instant::now();
    let riddle = WhoseImage {
        image: known.riddle,
    };
    let plain = WhoseImage { image: known.image };
    let (waited, answered) = tokio::join!(ask(&broker.bus, &riddle), ask(&broker.bus, &plain));
    assert!(matches!(waited, Err(AskError::Unavailable(_))));
    assert_eq!(answered.unwrap(), known.owner);
    assert!(asked.elapsed() < Duration::from_secs(4));
    broker.end().await;
}

#[tokio::test]
async fn a_question_that_may_be_repeated_is_asked_again_when_who_was_asked_is_gone() {
    let (broker, known) = start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    Answers::new()
        .on(move |known: Known, _: WhoseImageAgain| {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if is_first {
                    std::future::pending::<()>().await;
                }
                Ok(known.owner)
            }
        })
        .with_state(known.clone())
        .serve(&broker.bus, &crate::world::keys(), &broker.lifecycle)
        .await
        .unwrap();
    let question = WhoseImageAgain { image: known.image };
    assert_eq!(ask(&broker.bus, &question).await.unwrap(), known.owner);
    broker.end().await;
}

#[tokio::test]
async fn what_was_asked_before_a_stop_is_answered() {
    let (broker, known) = start().await;
    let (asked, closing) = (
        CancellationToken::new(),
        broker.lifecycle.questions.closing(),
    );
    let is_asked = asked.clone();
    Answers::new()
        .on(move |known: Known, _: WhoseImageAgain| {
            is_asked.cancel();
            let closing = closing.clone();
            async move {
                closing.cancelled().await;
                Ok(known.owner)
            }
        })
        .with_state(known.clone())
        .serve(&broker.bus, &crate::world::keys(), &broker.lifecycle)
        .await
        .unwrap();
    let client = broker.connect("tick-api").await;
    let question = WhoseImageAgain { image: known.image };
    let stop = async {
        asked.cancelled().await;
        broker.lifecycle.finish(Duration::from_mins(1)).await
    };
    let (answer, stopped) = tokio::join!(ask(&client, &question), stop);
    stopped.unwrap();
    assert_eq!(answer.unwrap(), known.owner);
    broker.end().await;
}

#[tokio::test]
async fn while_nobody_answers_one_asks_and_all_are_told_at_once() {
    let broker = Broker::empty().await;
    let mut heard = broker
        .bus
        .client()
        .subscribe(WhoseImage::SUBJECT)
        .await
        .unwrap();
    let asked = Instant::now();
    let question = WhoseImage {
        image: ImageId(Uuid::new_v4()),
    };
    let ask_often = async {
        while asked.elapsed() < Duration::from_secs(8) {
            let answers = join_all((0..16).map(|_| ask(&broker.bus, &question))).await;
            assert!(answers.iter().all(Result::is_err));
            tokio::task::yield_now().await;
        }
    };
    ask_often.await;
    let mut heard_of = 0;
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(100), heard.next()).await {
        heard_of += 1;
    }
    // Sixteen before it was known, and a probe now and then.
    assert!((17..=20).contains(&heard_of), "{heard_of} were asked");
    broker.end().await;
}
