//! Carries out what was decided about failed events, one after the other.

use std::time::Duration;

use chassis::deliveries::{Place, Replay, Replayed, Skip};
use chassis::lifecycle::Lifecycle;
use chassis::rpc::ask_service;

use crate::App;
use crate::error::Error;
use crate::store::decisions::{self, Pending};

/// A net for decisions of another process, and how soon what is under way is asked for again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const AT_A_TIME: i64 = 100;

/// Replays an event.
pub(crate) const REPLAY: &str = "replay";
/// Gives an event up.
pub(crate) const SKIP: &str = "skip";

/// Works until the stop.
pub(crate) async fn carry_out(app: App, lifecycle: Lifecycle) -> anyhow::Result<()> {
    while !lifecycle.is_stopping() {
        match round(&app).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "decisions about failed events wait");
            }
        }
        tokio::select! {
            () = app.decided.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = lifecycle.stopped() => {}
        }
    }
    Ok(())
}

/// Answers how many were settled.
async fn round(app: &App) -> Result<usize, Error> {
    let mut session = app.database.read().await?;
    let pending = decisions::pending(&mut session, AT_A_TIME).await?;
    drop(session);
    let mut settled = 0;
    for one in pending {
        if let Some((state, detail)) = carry_out_one(app, &one).await? {
            let mut work = app.database.begin().await?;
            decisions::settle(&mut work, &one, state, &detail).await?;
            work.commit().await?;
            settled += 1;
        }
    }
    Ok(settled)
}

/// What came of it; `None` while it is under way.
async fn carry_out_one(app: &App, one: &Pending) -> Result<Option<(&'static str, String)>, Error> {
    let Ok(place) = one.place.parse::<Place>() else {
        return Ok(Some(("gone", String::new())));
    };
    if one.action == SKIP {
        let skipped = ask_service(&app.bus, &one.service, &Skip { place }).await?;
        let state = if skipped { "done" } else { "gone" };
        return Ok(Some((state, String::new())));
    }
    Ok(
        match ask_service(&app.bus, &one.service, &Replay { place }).await? {
            Replayed::Completed => Some(("done", String::new())),
            Replayed::Failed { reason, detail } => Some(("failed", format!("{reason}: {detail}"))),
            Replayed::UnderWay => None,
        },
    )
}
