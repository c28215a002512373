//! The signals that ask the process to stop.

use chassis::lifecycle::Lifecycle;
use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to stop, or stops by itself because a task failed.
pub(crate) async fn asked(lifecycle: &Lifecycle) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
        () = lifecycle.stopped() => {}
    }
    Ok(())
}
