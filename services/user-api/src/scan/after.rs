//! The end of an erasure: it is over when nothing of the person is found in any store. The broker's
//! lists of subjects follow by themselves within three minutes, and are looked at until they did.

use std::time::Duration;

use anyhow::Context as _;
use chassis::leftovers::WriteAnew;
use chassis::rpc::ask_service;
use chassis::unit_of_work::{Cause, Draft, Work};
use envelope::{EventId, gdpr};
use uuid::Uuid;

use super::stores::{self, Sight};
use crate::needles::Needles;
use crate::progress::State;
use crate::store::scans::{self, Due, Seen};
use crate::{App, NAME, eraser};

/// How many people are looked for in one go.
const BATCH: i64 = 50;
/// What is found so often is not about to go by itself, as what lies in a log is.
const LOOKS_BEFORE: i64 = 2;
/// The longest time between two looks.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Looks for those whose traces should be gone by now.
pub(super) async fn round(app: &App) -> anyhow::Result<()> {
    let now = app.clock.micros();
    let due = scans::due(&mut app.database.read().await?, now, BATCH).await?;
    if due.is_empty() {
        return Ok(());
    }
    let open = |one: &Due| app.needles.open(one.event_id, &one.needles_sealed);
    let mut people = due.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    for needles in &mut people {
        leave_out_others(app, needles).await?;
    }
    // What was deleted a moment ago may still lie in the write-ahead log.
    app.database.scrub().await?;
    let sights = stores::look(app, people.clone()).await?;
    for ((one, sight), needles) in due.iter().zip(&sights).zip(&people) {
        settle(app, one, sight, needles).await?;
    }
    Ok(())
}

/// Whoever has registered with the same address since is somebody else.
async fn leave_out_others(app: &App, needles: &mut Needles) -> anyhow::Result<()> {
    let mut session = app.database.read().await?;
    for known in [&mut needles.email, &mut needles.new_email] {
        if let Some(email) = known
            && app.needles.is_taken(&mut session, email).await?
        {
            *known = None;
        }
    }
    Ok(())
}

async fn settle(app: &App, one: &Due, sight: &Sight, needles: &Needles) -> anyhow::Result<()> {
    if !sight.found.is_empty() {
        let stores: Vec<_> = sight.found.keys().map(String::as_str).collect();
        let stores = stores.join(", ");
        tracing::info!(
            stores,
            "an erased person is still found; looking again soon"
        );
        eraser::sweep_again(app, needles).await?;
        if one.looks >= LOOKS_BEFORE {
            write_anew(app, sight).await;
        }
    }
    let mut work = app.database.begin().await?;
    note(&mut work, one, sight).await?;
    let is_over = one.state()? == State::Scanning && sight.found.is_empty();
    if is_over && scans::finish(&mut work, one.event_id).await? {
        publish(app, &mut work, one.event_id, needles.user)?;
        metrics::counter!("dipper_erasures_finished_total").increment(1);
        tracing::info!("a person was erased");
    }
    work.commit().await?;
    Ok(())
}

/// Has the services write the databases anew in which somebody is still found.
async fn write_anew(app: &App, sight: &Sight) {
    for service in sight.services() {
        // Whoever does not answer is asked after the next look.
        if let Err(error) = ask_service(&app.bus, service, &WriteAnew {}).await {
            tracing::warn!(service, %error, "what deleted rows have left in a database is not overwritten yet");
        }
    }
}

/// Keeps what was seen, and what to look for as long as anything is found.
async fn note(work: &mut Work, one: &Due, sight: &Sight) -> anyhow::Result<()> {
    let is_gone = sight.found.is_empty() && sight.in_broker_index == 0;
    let pause = LONGEST_PAUSE.min(Duration::from_secs(1 << one.looks.clamp(0, 6)));
    let now = work.clock().micros();
    let pause = i64::try_from(pause.as_micros())?;
    let seen = Seen {
        event: one.event_id,
        scan: serde_json::to_string(sight)?,
        now,
        look_at: (!is_gone).then_some(now + pause),
    };
    scans::note(work, &seen).await?;
    if is_gone {
        work.deletes_for_good();
    }
    Ok(())
}

fn publish(app: &App, work: &mut Work, event: Uuid, user: Uuid) -> anyhow::Result<()> {
    let erased = gdpr::Erased {
        request: event.into(),
        subject: app.subject_key.hash(user.as_bytes()),
    };
    let cause = Cause {
        event: EventId(event),
        correlation: event,
        trace: None,
    };
    work.publish(Draft::caused_by(NAME, cause, erased))
        .context("gdpr.erased does not match its schema")?;
    Ok(())
}
