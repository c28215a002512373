//! Tasks and the graceful stop. A task that fails or panics stops the whole process: half a
//! service is worse than one that restarts.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A batch of fewer is small.
const SMALL_BATCH: usize = 128;
/// The longest that one waits for more.
const GATHER: Duration = Duration::from_millis(20);

/// An asker gives up after two seconds: so long answers that are under way may take.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Handle to the process's tasks; cheap to clone.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// Where requests of clients come in.
    pub requests: Intake,
    /// Where questions of other services come in.
    pub questions: Intake,
    leaving: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    failure: Arc<Mutex<Option<anyhow::Error>>>,
}

/// What brings work in: at a stop it ends before those do who do the work.
#[derive(Clone, Debug)]
pub struct Intake {
    closing: CancellationToken,
    open: TaskTracker,
}

impl Intake {
    fn until(stop: &CancellationToken) -> Self {
        Self {
            closing: stop.child_token(),
            open: TaskTracker::new(),
        }
    }

    /// Is cancelled when nothing new may be taken any more.
    pub fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Keeps the stop waiting until it is dropped: what was taken is under way.
    pub fn hold(&self) -> TaskTrackerToken {
        self.open.token()
    }

    async fn close(&self, patience: Duration) {
        self.closing.cancel();
        self.open.close();
        if tokio::time::timeout(patience, self.open.wait())
            .await
            .is_err()
        {
            tracing::info!("work that did not end in time was broken off");
        }
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        let stop = CancellationToken::new();
        Self {
            requests: Intake::until(&stop),
            questions: Intake::until(&stop),
            leaving: stop.child_token(),
            stop,
            tasks: TaskTracker::new(),
            failure: Arc::default(),
        }
    }
}

impl Lifecycle {
    /// Runs a task until it ends. It must watch [`Lifecycle::stopped`] and end when that does.
    pub fn spawn(
        &self,
        name: impl Into<String>,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let name = name.into();
        let lifecycle = self.clone();
        let work = tokio::spawn(task);
        self.tasks.spawn(async move {
            let outcome = match work.await {
                Ok(result) => result.with_context(|| format!("{name} failed")),
                Err(died) => Err(anyhow!("{name} died: {died}")),
            };
            if let Err(error) = outcome {
                tracing::error!(task = %name, error = format!("{error:#}"), "a task failed; stopping");
                lifecycle.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                lifecycle.stop.cancel();
            }
        });
    }

    /// Says that the process is about to stop, while everything still works: nobody is to send anything new.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Whether it is about to stop, or stops.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Asks all tasks to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends when a stop was asked for.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// A token that is cancelled at the stop.
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits for that long, or less if a stop is asked for. Says whether to go on.
    pub async fn pause(&self, length: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(length) => true,
            () = self.stopped() => false,
        }
    }

    /// Waits after a small batch for what comes next, as long as that batch took: it costs as many
    /// flushes as a large one, and who is idle makes nobody wait.
    pub(crate) async fn gather(&self, batch: usize, began: Instant) {
        if batch < SMALL_BATCH {
            self.pause(began.elapsed().min(GATHER)).await;
        }
    }

    /// Takes nothing new and answers what is under way, first requests and then the questions that these may ask. Then
    /// stops, waits for all tasks and tells of the first that failed.
    pub async fn finish(&self, patience: Duration) -> anyhow::Result<()> {
        self.leave();
        self.requests.close(patience).await;
        self.questions.close(LAST_ANSWERS).await;
        self.stop();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            bail!(
                "{} tasks did not stop within {patience:?}",
                self.tasks.len()
            );
        }
        match self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_fails_stops_the_others_and_is_reported() {
        let lifecycle = Lifecycle::default();
        let watcher = lifecycle.clone();
        lifecycle.spawn("watcher", async move {
            watcher.stopped().await;
            Ok(())
        });
        lifecycle.spawn("faulty", async { anyhow::bail!("no luck") });
        lifecycle.stopped().await;
        let error = lifecycle.finish(Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(format!("{error:#}"), "faulty failed: no luck");
    }

    #[tokio::test]
    async fn what_is_under_way_ends_before_those_who_work_on_it() {
        let lifecycle = Lifecycle::default();
        let (taken, workers) = (lifecycle.requests.hold(), lifecycle.clone());
        let closing = lifecycle.requests.closing();
        lifecycle.spawn("request", async move {
            closing.cancelled().await;
            assert!(workers.is_leaving() && !workers.is_stopping());
            drop(taken);
            workers.stopped().await;
            Ok(())
        });
        lifecycle.finish(Duration::from_mins(1)).await.unwrap();
    }

    #[tokio::test]
    async fn a_pause_ends_at_the_stop() {
        let lifecycle = Lifecycle::default();
        lifecycle.stop();
        assert!(!lifecycle.pause(Duration::from_hours(1)).await);
    }
}
