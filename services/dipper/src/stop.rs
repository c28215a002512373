//! The signals that ask the process to stop.

use chassis::lifecycle::Lifecycle;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Takes the signals from its making on, so that a start can be broken off as well.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to take them.
    pub fn take() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ends when the process is asked to stop.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Ends when the process is asked to stop, or stops by itself because a task failed.
    pub async fn asked_or_stopped(&mut self, lifecycle: &Lifecycle) {
        tokio::select! {
            () = self.asked() => {}
            () = lifecycle.stopped() => {}
        }
    }

    /// What comes of some work, or nothing if the process was asked to stop before.
    pub async fn unless_asked<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Option<T>> {
        tokio::select! {
            outcome = work => outcome.map(Some),
            () = self.asked() => Ok(None),
        }
    }
}
