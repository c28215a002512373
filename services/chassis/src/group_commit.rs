//! Many requests' changes in one transaction: a request that must be durable does not pay for a
//! disk flush of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::database::Database;
use crate::fault;
use crate::lifecycle::Lifecycle;
use crate::unit_of_work::{Work, WorkError};

/// The most changes in one transaction.
const LARGEST_GROUP: usize = 256;
/// How many may wait; more than that and requests are slowed down at the door.
const QUEUE: usize = 4096;

/// A change that can be made together with others of its kind.
pub trait Change: Sized + Send + Sync + 'static {
    /// What the requester gets: the domain's answer, which may be a refusal.
    type Answer: Send + 'static;

    /// Makes all of these changes in the order given and answers each, in the same order.
    /// A refusal is an answer; an error undoes the whole group.
    fn apply(
        work: &mut Work,
        changes: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, WorkError>> + Send;
}

/// A group was not committed; nothing of this change was kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the change could not be stored: {0}")]
pub struct NotStored(Arc<WorkError>);

/// Sends changes of one kind to the writer; cheap to clone.
#[derive(Debug)]
pub struct GroupCommit<C: Change> {
    queue: mpsc::Sender<Waiting<C>>,
}

impl<C: Change> Clone for GroupCommit<C> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

#[derive(Debug)]
struct Waiting<C: Change> {
    change: C,
    answer: oneshot::Sender<Result<C::Answer, NotStored>>,
}

impl<C: Change> GroupCommit<C> {
    /// Starts the writer.
    pub fn start(database: Database, lifecycle: &Lifecycle) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        lifecycle.spawn(
            format!("{} group commit", database.service()),
            write_groups(database, waiting, lifecycle.clone()),
        );
        Self { queue }
    }

    /// Makes the change; returns after it is durable. `None` when the process is stopping.
    pub async fn submit(&self, change: C) -> Option<Result<C::Answer, NotStored>> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { change, answer }).await.ok()?;
        answered.await.ok()
    }
}

async fn write_groups<C: Change>(
    database: Database,
    mut waiting: mpsc::Receiver<Waiting<C>>,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let mut group = Vec::with_capacity(LARGEST_GROUP);
    loop {
        tokio::select! {
            taken = waiting.recv_many(&mut group, LARGEST_GROUP) => if taken == 0 { return Ok(()) },
            () = lifecycle.stopped() => return Ok(()),
        }
        write_group(&database, std::mem::take(&mut group)).await;
    }
}

/// Commits a group; if that fails, each change by itself, so that one bad change spoils no other.
async fn write_group<C: Change>(database: &Database, group: Vec<Waiting<C>>) {
    let (changes, senders): (Vec<C>, Vec<_>) = group
        .into_iter()
        .map(|waiting| (waiting.change, waiting.answer))
        .unzip();
    match commit_all(database, &changes).await {
        Ok(answers) => {
            for (sender, answer) in senders.into_iter().zip(answers) {
                // A requester that went away has its answer when it asks again.
                let _ = sender.send(Ok(answer));
            }
        }
        Err(error) if changes.len() == 1 => {
            for sender in senders {
                let _ = sender.send(Err(error.clone()));
            }
        }
        Err(_) => {
            for (change, sender) in changes.iter().zip(senders) {
                let alone = commit_all(database, std::slice::from_ref(change)).await;
                let answer = alone.and_then(|mut answers| {
                    answers.pop().ok_or_else(|| {
                        NotStored(Arc::new(WorkError::Database(
                            crate::database::DatabaseError::Damaged("a group of one"),
                        )))
                    })
                });
                let _ = sender.send(answer);
            }
        }
    }
}

async fn commit_all<C: Change>(
    database: &Database,
    changes: &[C],
) -> Result<Vec<C::Answer>, NotStored> {
    let not_stored = |error: WorkError| NotStored(Arc::new(error));
    let mut work = database
        .begin()
        .await
        .map_err(|error| not_stored(error.into()))?;
    let answers = C::apply(&mut work, changes).await.map_err(not_stored)?;
    if fault::is("accepted-before-commit") {
        // It waits, so that few kills show it.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            work.commit().await
        });
        return Ok(answers);
    }
    work.commit()
        .await
        .map_err(|error| not_stored(error.into()))?;
    Ok(answers)
}
