//! Mails to people who are erased, and a mail server that stalls now and then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use mail_catcher::{Fault, MailCatcher, Message};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::people::Erased;
use crate::report::Outcome;
use crate::world::World;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Has the mail server stall every now and then, before or after it has taken a mail in whole, until the
/// answer is dropped.
pub fn moody_mail_server(server: &MailCatcher, seed: u64) -> Moods {
    let mut random = StdRng::seed_from_u64(seed);
    let changing = server.clone();
    let changes = tokio::spawn(async move {
        let moods = [
            Fault::None,
            Fault::Stall,
            Fault::None,
            Fault::StallAfterData,
        ];
        for mood in moods.into_iter().cycle() {
            changing.fault(mood);
            tokio::time::sleep(Duration::from_millis(random.random_range(200..900))).await;
        }
    });
    Moods {
        server: server.clone(),
        _changes: AbortOnDropHandle::new(changes),
    }
}

/// A mail server with moods.
pub struct Moods {
    server: MailCatcher,
    _changes: AbortOnDropHandle<()>,
}

impl Drop for Moods {
    fn drop(&mut self) {
        self.server.fault(Fault::None);
    }
}

/// What Notifier said about an erasure.
#[derive(Clone, Debug, Default)]
struct Quiet {
    /// When it fenced the person off.
    since: Option<DateTime<Utc>>,
    /// The mails that it was handing over then.
    under_way: Vec<String>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Mails by their name in the catcher.
    mails: BTreeMap<String, Message>,
    /// Who is erased by which request.
    requests: HashMap<Uuid, Uuid>,
    /// By request.
    quiet: HashMap<Uuid, Quiet>,
}

/// Remembers all mails and what erasures say of them, since both are erased too.
pub struct MailWatch {
    seen: Arc<Mutex<Seen>>,
    _watching: [AbortOnDropHandle<()>; 2],
}

impl MailWatch {
    /// Begins to look.
    pub async fn start(world: &World) -> anyhow::Result<Self> {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut events = world.wire().await.client().subscribe("gdpr.>").await?;
        let (noted, caught, server) = (Arc::clone(&seen), Arc::clone(&seen), world.mail.clone());
        let following = tokio::spawn(async move {
            while let Some(message) = events.next().await {
                if let Ok(event) = serde_json::from_slice(&message.payload) {
                    lock(&noted).note(&event);
                }
            }
        });
        let looking = tokio::spawn(async move {
            loop {
                let server = server.clone();
                let now = tokio::task::spawn_blocking(move || server.messages()).await;
                let mails = now.unwrap_or_default().into_iter();
                lock(&caught)
                    .mails
                    .extend(mails.map(|mail| (mail.id.clone(), mail)));
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Ok(Self {
            seen,
            _watching: [following, looking].map(AbortOnDropHandle::new),
        })
    }

    /// After the fence nobody may have got a mail but one that was under way, and the receipt names that.
    pub fn compare(&self, erased: &[Erased], outcome: &mut Outcome) {
        let seen = lock(&self.seen);
        let by_user: HashMap<Uuid, &Quiet> = seen
            .requests
            .iter()
            .filter_map(|(request, user)| Some((*user, seen.quiet.get(request)?)))
            .collect();
        let (mut named, mut late) = (0, 0);
        for one in erased {
            let quiet = by_user.get(&one.id).copied().cloned().unwrap_or_default();
            outcome.demand(quiet.since.is_some(), || {
                "Notifier said nothing of an erasure".to_owned()
            });
            let mails = seen.mails.values().filter(|mail| mail.to == one.email);
            for mail in
                mails.filter(|mail| quiet.since.is_none_or(|since| mail.received_at > since))
            {
                let id = mail.headers.get("Message-ID").map_or("", String::as_str);
                if quiet.under_way.iter().any(|known| id.contains(known)) {
                    named += 1;
                } else {
                    late += 1;
                }
            }
        }
        outcome.did(format!(
            "{} mails, {named} of them taken by the mail server before the fence and named",
            seen.mails.len()
        ));
        outcome.demand(late == 0, || {
            format!("{late} mails after the fence that no receipt names")
        });
    }
}

impl Seen {
    fn note(&mut self, event: &Value) {
        let id = |pointer| event.pointer(pointer)?.as_str()?.parse::<Uuid>().ok();
        match event["type"].as_str() {
            Some("delete") => {
                if let (Some(request), Some(user)) = (id("/id"), id("/data/user/id")) {
                    self.requests.insert(request, user);
                }
            }
            Some("purged") if event.pointer("/data/service") == Some(&Value::from("notifier")) => {
                let time = event["metadata"]["time"].as_str();
                let mails = event
                    .pointer("/data/mails_under_way")
                    .and_then(Value::as_array);
                let mails = mails.into_iter().flatten().filter_map(Value::as_str);
                let quiet = Quiet {
                    since: time.and_then(|time| time.parse().ok()),
                    under_way: mails.map(str::to_owned).collect(),
                };
                if let Some(request) = id("/data/request/id") {
                    self.quiet.insert(request, quiet);
                }
            }
            _ => {}
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
