//! Two processes of every service behind proxies, and people who use them all the time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use testkit::broker::SERVICES;
use testkit::{Api, Birder, Mailbox, Running, free_port};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::load::{Amount, Crowd, Load, Logs};
use crate::programs::Setting;
use crate::proxy;
use crate::world::{Plan, World, api_of, launch};

/// What is read beside ticks and ratings, from every service that people reach.
const READ: [&str; 6] = [
    "/api/v1/feed",
    "/api/v1/species?q=sitta",
    "/api/v1/ticks?user=me",
    "/api/v1/users/me",
    "/api/v1/auth/sessions",
    "/api/v1/statistics/overview",
];
const READERS: u32 = 12;
/// Each second; with the ticks it is 200 requests.
const READS: u32 = 100;
const TICKS: usize = 100;
/// At most; fewer when there are not as many pictures and people.
const RATINGS: usize = 10;
/// Longer than any run takes: who is at work ends when it does.
const SECONDS: usize = 600;

/// The processes of a world, and another one beside each of them.
pub struct Pairs {
    /// The first of each pair, and what they all need.
    pub world: World,
    /// A client of the proxies.
    pub api: Api,
    seconds: BTreeMap<&'static str, Running>,
}

impl Pairs {
    /// Starts everything.
    pub async fn start(setting: &Setting, plan: &Plan) -> anyhow::Result<Self> {
        let world = World::start(setting, plan).await?;
        let (mut seconds, mut proxies) = (BTreeMap::new(), BTreeMap::new());
        for service in SERVICES {
            let address = format!("127.0.0.1:{}", free_port());
            let second = launch(setting, plan, world.folder(), (&[service], &address));
            let second = second.env("DIPPER_SMTP_URL", world.smtp());
            seconds.insert(service, second.start().await);
            let processes = vec![world.address(service).to_owned(), address];
            proxies.insert(service, proxy::before(processes).await?);
        }
        Ok(Self {
            api: api_of(&proxies, Mailbox::Catcher(world.mail.clone())),
            world,
            seconds,
        })
    }

    /// Stops the first process of a service by SIGTERM and starts this program in its place: how long that took.
    pub async fn restart_first(&mut self, service: &'static str, binary: &Path) -> Duration {
        let began = Instant::now();
        self.world.restart_as(service, binary).await;
        began.elapsed()
    }

    /// The same with the second.
    pub async fn restart_second(&mut self, service: &'static str, binary: &Path) -> Duration {
        let began = Instant::now();
        if let Some(running) = self.seconds.remove(service) {
            running.signal("TERM").await;
            let launch = running.ended().await.by(binary);
            self.seconds.insert(service, launch.start().await);
        }
        began.elapsed()
    }

    /// SIGTERM to all, one after the other.
    pub async fn stop_all(mut self) {
        for running in self.seconds.into_values() {
            running.stop().await;
        }
        self.world.stop_all().await;
    }
}

/// People at work until they are told to stop, with 200 requests a second.
pub struct Traffic {
    began: Instant,
    load: Load,
    readers: JoinSet<()>,
    stop: CancellationToken,
    read: Arc<Mutex<Read>>,
}

/// What readers saw, who try nothing twice.
#[derive(Default)]
struct Read {
    answered: usize,
    complaints: Vec<String>,
}

/// What became of the traffic.
pub struct Seen {
    /// What those who write know.
    pub logs: Logs,
    /// How many requests were answered.
    pub answered: usize,
    /// How many were answered in a second.
    pub rate: f64,
    /// How many failed.
    pub failed: usize,
    /// Why readers got no answer.
    pub complaints: Vec<String>,
}

impl Traffic {
    /// Lets everybody begin.
    pub fn start(api: &Api, crowd: &Crowd, seed: u64) -> Self {
        let amount = Amount {
            ticks: TICKS * SECONDS,
            ratings: RATINGS * SECONDS,
            within: Duration::from_secs(SECONDS as u64),
        };
        let (stop, read) = (CancellationToken::new(), Arc::<Mutex<Read>>::default());
        let mut readers = JoinSet::new();
        for (reader, first) in crowd.raters.iter().cycle().zip(0..READERS) {
            let reading = keep_reading(api.clone(), reader.clone(), first, Arc::clone(&read));
            let stop = stop.clone();
            readers.spawn(async move {
                stop.run_until_cancelled(reading).await;
            });
        }
        Self {
            began: Instant::now(),
            load: Load::start(api, crowd, amount, seed),
            readers,
            stop,
            read,
        }
    }

    /// Lets everybody end what they are about.
    pub async fn finish(self) -> Seen {
        self.stop.cancel();
        self.readers.join_all().await;
        let logs = self.load.stop().await;
        let took = self.began.elapsed().as_secs_f64();
        let read = std::mem::take(&mut *lock(&self.read));
        let answered = read.answered + logs.ticks.count() + logs.ratings.count();
        Seen {
            answered,
            rate: u32::try_from(answered).map_or(0.0, f64::from) / took,
            failed: read.complaints.len() + logs.ticks.failed() + logs.ratings.failed(),
            complaints: read.complaints,
            logs,
        }
    }
}

fn lock(read: &Mutex<Read>) -> std::sync::MutexGuard<'_, Read> {
    read.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_reading(api: Api, reader: Birder, first: u32, seen: Arc<Mutex<Read>>) {
    let mut pace = tokio::time::interval(Duration::from_secs(1) * READERS / READS);
    for path in READ.iter().cycle().skip(first as usize) {
        pace.tick().await;
        let outcome = read(&api, &reader, path).await;
        let mut seen = lock(&seen);
        match outcome {
            Ok(()) => seen.answered += 1,
            Err(why) => seen.complaints.push(format!("GET {path}: {why}")),
        }
    }
}

async fn read(api: &Api, reader: &Birder, path: &str) -> Result<(), String> {
    let told = |error: reqwest::Error| format!("{:?}", error.without_url());
    let request = api.request(Method::GET, path).bearer_auth(&reader.token);
    let answer = request.send().await.map_err(told)?;
    let status = answer.status();
    answer.bytes().await.map_err(told)?;
    if status.is_success() {
        Ok(())
    } else {
        Err(status.to_string())
    }
}
