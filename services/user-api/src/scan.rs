//! The scan of an erasure: every store within reach is searched byte by byte for the person, before
//! anything is deleted, which shows that the search finds them, and afterwards until it does not.

mod after;
pub(crate) mod before;
pub(crate) mod stores;

use std::time::Duration;

use crate::App;

/// A net for wake-ups that were missed.
const POLL: Duration = Duration::from_secs(1);
/// Between a request and the promise to its requester lie some milliseconds.
const PROMISE_POLL: Duration = Duration::from_millis(50);

/// Looks for people until the stop.
pub(crate) async fn run(app: App) -> anyhow::Result<()> {
    while !app.lifecycle.is_stopping() {
        let pause = match round(&app).await {
            Ok(pause) => pause,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(
                    error,
                    "a scan was interrupted; it is made again in a moment"
                );
                POLL
            }
        };
        tokio::select! {
            () = app.wake_scanner.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.lifecycle.stopped() => {}
        }
    }
    Ok(())
}

/// Answers how long to wait for the next.
async fn round(app: &App) -> anyhow::Result<Duration> {
    let awaits_promise = before::round(app).await?;
    after::round(app).await?;
    Ok(if awaits_promise { PROMISE_POLL } else { POLL })
}
