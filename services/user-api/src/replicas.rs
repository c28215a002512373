//! The gate before overwriting in a cluster: nothing is overwritten unless all copies of the streams are there, and no
//! erasure ends before they were all seen afterwards. A server that was away in between has its copies made
//! anew, since it may keep the bytes for good while it says that it is current. That it may have is noted in the
//! database first, so that it holds after a kill as well.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use chassis::bus::streams::replicas::{Copies, look, look_from_now, make_anew};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::App;
use crate::store::{erasures, replicas};

/// Why nothing is overwritten now.
pub(crate) const AWAY: &str =
    "a server of the broker that has copies of the streams is away or behind";

/// What the last look showed.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    are_away: AtomicBool,
    /// One task at a time makes copies anew.
    renewing: Mutex<()>,
}

impl Replicas {
    /// What erasures wait for, in the words of a request's status.
    pub(crate) fn waited_for(&self) -> Option<&'static str> {
        let are_away = self.are_away.load(Ordering::Relaxed);
        are_away.then_some("broker replica")
    }

    fn tell(&self, are_away: bool) {
        let were_away = self.are_away.swap(are_away, Ordering::Relaxed);
        metrics::gauge!("dipper_erasure_replicas_away").set(f64::from(u8::from(are_away)));
        if are_away && !were_away {
            tracing::warn!(
                "erasures wait: a server of the broker that has copies of the streams is away or behind; bring it back"
            );
        } else if were_away && !are_away {
            tracing::info!("erasures go on: all copies of the streams are there");
        }
    }
}

/// Whether events can be overwritten now. Notes that they are from then on.
pub(crate) async fn are_here(app: &App) -> anyhow::Result<bool> {
    let Some(copies) = sound(app, look(&app.bus).await).await? else {
        return Ok(false);
    };
    if !copies.are_several {
        return Ok(true);
    }
    let renewing = app.replicas.renewing.lock().await;
    let mut session = app.database.read().await?;
    let noted = replicas::noted(&mut session).await?;
    drop(session);
    if !noted.servers.is_empty() {
        renew(app, &noted.servers).await?;
    }
    drop(renewing);
    if !noted.has_begun {
        let mut work = app.database.begin().await?;
        let now = work.clock().micros();
        replicas::begin(&mut work, now).await?;
        work.commit().await?;
    }
    Ok(true)
}

/// Notes that events are overwritten now, and which copies miss it: for what is too old, which would stay in all copies if it
/// waited for one.
pub(crate) async fn note_who_is_away(app: &App) -> anyhow::Result<()> {
    if are_here(app).await? {
        return Ok(());
    }
    let mut work = app.database.begin().await?;
    let now = work.clock().micros();
    replicas::begin(&mut work, now).await?;
    work.commit().await?;
    sound(app, look(&app.bus).await).await?;
    Ok(())
}

/// Whether all copies have seen what was overwritten, for `user` or for nobody who is being erased.
pub(crate) async fn have_seen_all(app: &App, user: Option<Uuid>) -> anyhow::Result<bool> {
    let noted = replicas::noted(&mut app.database.read().await?).await?;
    if !noted.has_begun {
        return Ok(true);
    }
    if sound(app, look_from_now(&app.bus).await).await?.is_none() {
        return Ok(false);
    }
    let mut work = app.database.begin().await?;
    let noted = replicas::noted(&mut work).await?;
    let others = erasures::ready(&mut work).await?;
    if others.iter().all(|other| Some(*other) == user) && noted.servers.is_empty() {
        replicas::end(&mut work).await?;
    }
    work.commit().await?;
    Ok(noted.servers.is_empty())
}

/// What a look showed; none when a copy is away, which is told and noted.
async fn sound(app: &App, copies: anyhow::Result<Copies>) -> anyhow::Result<Option<Copies>> {
    let is_sound = copies.as_ref().is_ok_and(|copies| copies.away.is_empty());
    app.replicas.tell(!is_sound);
    let copies = copies?;
    if is_sound {
        return Ok(Some(copies));
    }
    let mut work = app.database.begin().await?;
    let now = work.clock().micros();
    for server in &copies.away {
        replicas::miss(&mut work, server, now).await?;
    }
    work.commit().await?;
    Ok(None)
}

async fn renew(app: &App, servers: &BTreeSet<String>) -> anyhow::Result<()> {
    tracing::warn!(
        servers = servers.len(),
        "a server of the broker was away while events were overwritten; making its copies of the streams anew"
    );
    make_anew(&app.bus, servers).await?;
    metrics::counter!("dipper_replicas_made_anew_total").increment(1);
    let mut work = app.database.begin().await?;
    for server in servers {
        replicas::forget(&mut work, server).await?;
    }
    work.commit().await?;
    Ok(())
}
