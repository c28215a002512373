//! The positive control: before anything is deleted, the search must find whom it will have to miss.
//! An erasure that was asked for by an event alone is under way already, and has none.

use chassis::database::DatabaseError;
use chassis::rpc::ask;
use chrono::TimeDelta;
use clients::tick::BeginErasure;
use envelope::{EventId, UserId};
use serde::{Deserialize, Serialize};

use super::stores::{self, Sight};
use crate::App;
use crate::store::from_json;
use crate::store::scans::Planned;
use crate::store::{erasures, index, scans};

/// How many people are looked for in one go.
const BATCH: i64 = 50;
/// What is written shows in the files a moment later; then erasure does not wait any longer.
const LOOKS: i64 = 10;
/// Whoever was not told after this time that their request is accepted has to ask again.
const PROMISED_BY_THEN: TimeDelta = TimeDelta::minutes(10);

/// Where a person was found before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control {
    /// The stores that hold them.
    pub found: Vec<String>,
    /// The stores that must hold them, and in which the search did not find them.
    pub missed: Vec<String>,
}

impl Control {
    /// Reads what was kept.
    pub(crate) fn read(text: Option<&str>) -> Result<Option<Self>, DatabaseError> {
        from_json(text, "erasure.control")
    }

    fn new(sight: &Sight, expected: Vec<String>) -> Self {
        let is_missed = |store: &String| !sight.found.contains_key(store);
        Self {
            found: sight.found.keys().cloned().collect(),
            missed: expected.into_iter().filter(is_missed).collect(),
        }
    }
}

/// Looks for those who asked to be forgotten, then lets the erasure begin. Says whether somebody
/// waits for the promise that it is accepted.
pub(super) async fn round(app: &App) -> anyhow::Result<bool> {
    let planned = scans::planned(&mut app.database.read().await?, BATCH).await?;
    let (seen, unseen): (Vec<_>, Vec<_>) = planned.into_iter().partition(|one| one.has_control);
    if !unseen.is_empty() && look(app, &unseen).await? {
        app.wake_scanner.notify_one();
    }
    let mut awaits_promise = false;
    for request in &seen {
        awaits_promise |= !begin(app, request).await?;
    }
    Ok(awaits_promise)
}

/// Says whether anybody may be erased now.
async fn look(app: &App, requests: &[Planned]) -> anyhow::Result<bool> {
    let mut session = app.database.read().await?;
    let (mut people, mut expected) = (Vec::new(), Vec::new());
    for request in requests {
        people.push(app.needles.of(&mut session, request.user_id).await?);
        let has_events = !index::places(&mut session, request.user_id, 1)
            .await?
            .is_empty();
        expected.push(app.stores.expected(has_events));
    }
    drop(session);
    let sights = stores::look(app, people).await?;
    let mut may_go_on = false;
    let mut work = app.database.begin().await?;
    for ((request, sight), expected) in requests.iter().zip(&sights).zip(expected) {
        let control = Control::new(sight, expected);
        if !control.missed.is_empty() && request.looks < LOOKS {
            scans::looked(&mut work, request.event_id).await?;
            continue;
        }
        if !control.missed.is_empty() {
            let stores = control.missed.join(", ");
            metrics::counter!("dipper_erasure_controls_missed_total").increment(1);
            tracing::warn!(
                stores,
                "a scan does not find somebody where they must be; it will prove nothing there"
            );
        }
        let control = serde_json::to_string(&control)?;
        scans::set_control(&mut work, request.event_id, &control).await?;
        may_go_on = true;
    }
    work.commit().await?;
    Ok(may_go_on)
}

/// Lets TickAPI publish the event. Says whether it was promised.
async fn begin(app: &App, request: &Planned) -> anyhow::Result<bool> {
    let question = BeginErasure {
        user: UserId(request.user_id),
        event: EventId(request.event_id),
    };
    match ask(&app.bus, &question).await {
        Ok(()) => {
            let mut work = app.database.begin().await?;
            scans::begun(&mut work, request.event_id, app.clock.micros()).await?;
            work.commit().await?;
            Ok(true)
        }
        Err(error) if error.refusal() == Some("not-asked") => {
            forget_unpromised(app, request).await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn forget_unpromised(app: &App, request: &Planned) -> anyhow::Result<()> {
    let until = app.clock.now() - PROMISED_BY_THEN;
    if request.requested_at < until.timestamp_micros() {
        let mut work = app.database.begin().await?;
        erasures::forget_planned(&mut work, request.event_id).await?;
        work.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_must_hold_somebody_and_does_not_show_them_is_told_of() {
        let mut sight = Sight::default();
        sight.found.insert("nats".to_owned(), 3);
        sight.found.insert("objects".to_owned(), 1);
        let control = Control::new(&sight, vec!["db".to_owned(), "nats".to_owned()]);
        assert_eq!(control.found, ["nats", "objects"]);
        assert_eq!(control.missed, ["db"]);
    }
}
