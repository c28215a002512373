//! Questions between services that need an answer now: request and reply over the broker, where
//! each service has a login of its own.

pub mod asked;
mod circuit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::service::ServiceExt as _;
use async_nats::service::endpoint::Endpoint;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::bus::{ANSWER_WITHIN, Bus};
use crate::database::DatabaseError;
use crate::keys::Keys;
use crate::lifecycle::Lifecycle;
use crate::resealing::told;

pub(crate) use circuit::Circuits;
use circuit::Ending;

/// How many questions of one kind a process answers at the same time.
const ANSWERING_AT_ONCE: usize = 64;
/// A question that may be repeated is asked again when nobody has answered it by then.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A question that one service asks another.
pub trait Question: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `svc.<service>.<question>`.
    const SUBJECT: &'static str;
    /// The logins that may ask it: the broker refuses all others.
    const ASKED_BY: &'static [&'static str];
    /// Whether asking twice does no more than asking once: then it is asked again when nobody answers soon, as the process
    /// that was asked may have ended. Effect workers try again by themselves, and ask one at a time while somebody is away.
    const IS_REPEATABLE: bool = false;
    /// What is answered.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
}

/// A question that many services answer, each about itself.
pub trait CommonQuestion: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The last part of `svc.<service>.<question>`.
    const NAME: &'static str;
    /// The logins that may ask it: the broker refuses all others.
    const ASKED_BY: &'static [&'static str];
    /// What is answered.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
}

fn subject_of<Q: CommonQuestion>(service: &str) -> String {
    format!("svc.{service}.{}", Q::NAME)
}

/// The service that was asked says no, for a reason that the asker can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("refused: {code}")]
pub struct Refusal {
    /// A stable word, e.g. `wrong-password`.
    pub code: String,
}

impl Refusal {
    /// A refusal by its word.
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
        }
    }

    /// The service has a fault of its own; what it was stays in its log.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a question could not be answered");
        Self::new(INTERNAL)
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        Self::internal(&error)
    }
}

const INTERNAL: &str = "internal";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answered in time; asking again later may work.
    #[error("{0} does not answer")]
    Unavailable(String),
    /// The answer is no.
    #[error(transparent)]
    Refused(Refusal),
}

impl AskError {
    /// The refusal's word, if it was refused for a reason of the domain.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) if refusal.code != INTERNAL => Some(&refusal.code),
            _ => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply<A> {
    Answer(A),
    Refused(Refusal),
}

/// Asks a question and waits up to two seconds for the answer; not at all while nobody answers
/// questions of this kind and somebody else is finding out whether that has changed.
pub async fn ask<Q: Question>(bus: &Bus, question: &Q) -> Result<Q::Answer, AskError> {
    let first = if Q::IS_REPEATABLE {
        ASKED_AGAIN_AFTER
    } else {
        ANSWER_WITHIN
    };
    ask_at(bus, Q::SUBJECT.to_owned(), question, first).await
}

/// Asks one of the services that answer a question, and waits up to two seconds.
pub async fn ask_service<Q: CommonQuestion>(
    bus: &Bus,
    service: &str,
    question: &Q,
) -> Result<Q::Answer, AskError> {
    ask_at(bus, subject_of::<Q>(service), question, ANSWER_WITHIN).await
}

async fn ask_at<Q: Serialize, A: DeserializeOwned>(
    bus: &Bus,
    subject: String,
    question: &Q,
    first: Duration,
) -> Result<A, AskError> {
    let unavailable = || AskError::Unavailable(subject.clone());
    let body = serde_json::to_vec(question).map_err(|_| unavailable())?;
    let turn = bus.circuits().enter(&subject, Instant::now());
    let turn = turn.ok_or_else(unavailable)?;
    let body = Bytes::from(body);
    let asking = || bus.client().request(subject.clone(), body.clone());
    let outcome = match tokio::time::timeout(first, asking()).await {
        Err(_) if first < ANSWER_WITHIN => {
            tokio::time::timeout(ANSWER_WITHIN.saturating_sub(first), asking()).await
        }
        outcome => outcome,
    };
    let ending = match &outcome {
        Ok(Ok(_)) => Ending::Answered,
        Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Ending::NobodyThere,
        Ok(Err(_)) | Err(_) => Ending::TooLate,
    };
    turn.end(ending, Instant::now());
    let reply = outcome
        .map_err(|_| unavailable())?
        .map_err(|_| unavailable())?;
    match serde_json::from_slice(&reply.payload).map_err(|_| unavailable())? {
        Reply::Answer(answer) => Ok(answer),
        Reply::Refused(refusal) => Err(AskError::Refused(refusal)),
    }
}

type Answering = Pin<Box<dyn Future<Output = Bytes> + Send>>;
type Answerer<A> = Arc<dyn Fn(A, Bytes) -> Answering + Send + Sync>;

/// The questions a service answers: a table like its routes.
pub struct Answers<A> {
    table: Vec<(String, Answerer<A>)>,
}

impl<A: Clone + Send + Sync + 'static> Default for Answers<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Clone + Send + Sync + 'static> Answers<A> {
    /// An empty table.
    pub fn new() -> Self {
        Self { table: Vec::new() }
    }

    /// Answers one kind of question.
    pub fn on<Q, F, Fut>(self, answer: F) -> Self
    where
        Q: Question,
        F: Fn(A, Q) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Q::Answer, Refusal>> + Send + 'static,
    {
        self.at(Q::SUBJECT.to_owned(), answer)
    }

    /// Answers one kind of question that other services answer as well, for this one.
    pub fn on_common<Q, F, Fut>(self, service: &str, answer: F) -> Self
    where
        Q: CommonQuestion,
        F: Fn(A, Q) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Q::Answer, Refusal>> + Send + 'static,
    {
        self.at(subject_of::<Q>(service), answer)
    }

    fn at<Q, R, F, Fut>(mut self, subject: String, answer: F) -> Self
    where
        Q: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        F: Fn(A, Q) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Refusal>> + Send + 'static,
    {
        let answerer: Answerer<A> = Arc::new(move |app, body| {
            let answer = answer.clone();
            Box::pin(async move {
                let reply = match serde_json::from_slice::<Q>(&body) {
                    Ok(question) => answer(app, question)
                        .await
                        .map_or_else(Reply::Refused, Reply::Answer),
                    Err(_) => Reply::Refused(Refusal::new("malformed")),
                };
                serde_json::to_vec(&reply).unwrap_or_default().into()
            })
        });
        self.table.push((subject, answerer));
        self
    }

    /// Binds the table to the service's state.
    pub fn with_state(self, app: A) -> BoundAnswers {
        let table = self.table.into_iter().map(|(subject, answerer)| {
            let app = app.clone();
            let bound: Bound = Arc::new(move |body| answerer(app.clone(), body));
            (subject, bound)
        });
        BoundAnswers {
            table: table.collect(),
        }
    }
}

type Bound = Arc<dyn Fn(Bytes) -> Answering + Send + Sync>;

/// The questions a service answers, ready to be served.
#[derive(Default)]
pub struct BoundAnswers {
    table: Vec<(String, Bound)>,
}

impl BoundAnswers {
    /// These and others.
    pub fn and(mut self, others: Self) -> Self {
        self.table.extend(others.table);
        self
    }

    /// Begins to answer; several processes of a service share the questions, and each tells which key it seals with.
    pub async fn serve(self, bus: &Bus, keys: &Keys, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        if self.table.is_empty() {
            return Ok(());
        }
        let service = bus
            .client()
            .service_builder()
            .description("Dipper")
            .stats_handler(told(keys.clone()))
            .start(bus.service(), env!("CARGO_PKG_VERSION"))
            .await
            .map_err(|error| anyhow::anyhow!("cannot offer questions on the broker: {error}"))?;
        for (subject, answer) in self.table {
            let endpoint = service
                .endpoint_builder()
                .name(subject.replace('.', "-"))
                .add(subject.clone())
                .await
                .map_err(|error| anyhow::anyhow!("cannot answer {subject}: {error}"))?;
            lifecycle.spawn(subject, serve_endpoint(endpoint, answer, lifecycle.clone()));
        }
        // Subscriptions are on their way; a round trip makes sure that they have arrived.
        bus.client().flush().await?;
        let stopped = lifecycle.clone();
        lifecycle.spawn(format!("{} answers", bus.service()), async move {
            stopped.stopped().await;
            drop(service);
            Ok(())
        });
        Ok(())
    }
}

async fn serve_endpoint(
    mut endpoint: Endpoint,
    answer: Bound,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(ANSWERING_AT_ONCE));
    let (closing, _open) = (lifecycle.questions.closing(), lifecycle.questions.hold());
    let under_way = TaskTracker::new();
    loop {
        let request = tokio::select! {
            request = endpoint.next() => request,
            () = closing.cancelled(), if !under_way.is_closed() => {
                // What has arrived is still answered; the broker asks others from now on.
                under_way.close();
                if endpoint.stop().await.is_err() {
                    tracing::debug!("the connection of a subscription is gone");
                }
                continue;
            }
        };
        let Some(request) = request else {
            anyhow::ensure!(under_way.is_closed(), "the broker ended a subscription");
            break;
        };
        let place = Arc::clone(&places).acquire_owned().await?;
        let reply = answer(request.message.payload.clone());
        under_way.spawn(async move {
            let reply = reply.await;
            if request.respond(Ok(reply)).await.is_err() {
                tracing::debug!("an answer could not be sent");
            }
            drop(place);
        });
    }
    tokio::select! {
        () = under_way.wait() => {}
        () = lifecycle.stopped() => {}
    }
    Ok(())
}
