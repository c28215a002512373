//! Clients: people who tick and rate through HTTP, and repeat what got no answer.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Api, Birder, PHOTO};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::log::ClientLog;

/// So often somebody whose request got no answer does not try again: one in so many.
const GIVES_UP: u32 = 8;
/// A client that is not served waits so long before it tries again.
const TRY_AGAIN: Duration = Duration::from_millis(150);
/// No outage of a run is longer.
const LONGEST_OUTAGE: Duration = Duration::from_secs(90);

/// An image and its owner.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its id.
    pub id: Uuid,
    /// Its address.
    pub url: String,
}

/// People and what they have uploaded.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    /// Those who tick, each with pictures.
    pub owners: Vec<(Birder, Vec<Picture>)>,
    /// Those who rate.
    pub raters: Vec<Birder>,
}

/// How large a crowd is.
#[derive(Clone, Copy, Debug)]
pub struct CrowdSize {
    /// How many tick.
    pub owners: usize,
    /// How many pictures each of them has.
    pub pictures: usize,
    /// How many rate.
    pub raters: usize,
}

/// How much is done, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// How many ticks.
    pub ticks: usize,
    /// How many ratings.
    pub ratings: usize,
    /// In how long.
    pub within: Duration,
}

impl Crowd {
    /// Lets everybody register and the owners upload. Owners want a mail for each rating.
    pub async fn gather(api: &Api, size: CrowdSize) -> Self {
        let owners = (0..size.owners).map(async |_| {
            let owner = api.join("Olga").await;
            let wish = json!({"preferences": {"notifications": "instant"}});
            let token = Some(owner.token.as_str());
            let path = "/api/v1/users/me";
            let set = api.send(Method::PATCH, path, token, Some(&wish)).await;
            set.expect(200);
            let mut pictures = Vec::with_capacity(size.pictures);
            for _ in 0..size.pictures {
                let (id, url) = api.upload(&owner, PHOTO).await;
                pictures.push(Picture { id, url });
            }
            (owner, pictures)
        });
        let owners = stream::iter(owners).buffered(4).collect().await;
        let raters = (0..size.raters).map(async |_| api.join("Rolf").await);
        let raters = stream::iter(raters).buffered(4).collect().await;
        Self { owners, raters }
    }

    /// All pictures.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.owners.iter().flat_map(|(_, pictures)| pictures)
    }
}

/// What rating an image by a person is called in a log.
pub fn rating_id(rater: Uuid, image: Uuid) -> Uuid {
    Uuid::new_v5(&rater, image.as_bytes())
}

/// A random id that follows from a seed.
pub fn random_id(random: &mut StdRng) -> Uuid {
    uuid::Builder::from_random_bytes(random.random()).into_uuid()
}

/// What clients did.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Ticks by their ids.
    pub ticks: ClientLog,
    /// Ratings by [`rating_id`].
    pub ratings: ClientLog,
}

/// Clients at work.
pub struct Load {
    /// What they know.
    pub logs: Logs,
    clients: JoinSet<()>,
    stop: CancellationToken,
}

impl Load {
    /// Sets clients to work: one for each owner and a few who rate in turns.
    pub fn start(api: &Api, crowd: &Crowd, amount: Amount, seed: u64) -> Self {
        const RATERS: usize = 8;
        let (logs, stop) = (Logs::default(), CancellationToken::new());
        let mut clients = JoinSet::new();
        let owners = crowd.owners.len().max(1);
        for (number, (owner, pictures)) in crowd.owners.iter().enumerate() {
            let client = Client {
                api: api.clone(),
                random: random(seed, number),
                log: logs.ticks.clone(),
                stop: stop.clone(),
                began: Instant::now(),
                pause: pause(amount.within, amount.ticks.div_ceil(owners)),
            };
            let share = share(amount.ticks, owners, number);
            clients.spawn(tick(client, owner.clone(), pictures.clone(), share));
        }
        let pairs = crowd.pictures().flat_map(|picture| {
            let raters = crowd.raters.iter();
            raters.map(|rater| (rater.clone(), picture.id))
        });
        let pairs: Vec<(Birder, Uuid)> = pairs.take(amount.ratings).collect();
        for number in 0..RATERS {
            let client = Client {
                api: api.clone(),
                random: random(seed, owners + number),
                log: logs.ratings.clone(),
                stop: stop.clone(),
                began: Instant::now(),
                pause: pause(amount.within, pairs.len().div_ceil(RATERS)),
            };
            let own = pairs.iter().skip(number).step_by(RATERS).cloned();
            clients.spawn(rate(client, own.collect()));
        }
        Self {
            logs,
            clients,
            stop,
        }
    }

    /// Waits until they have done everything.
    pub async fn finish(self) -> Logs {
        self.clients.join_all().await;
        self.logs
    }

    /// Lets them end what they are about, and do nothing more.
    pub async fn stop(self) -> Logs {
        self.stop.cancel();
        self.finish().await
    }
}

/// Each client's own, and others for another seed.
fn random(seed: u64, client: usize) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(100_000).wrapping_add(client as u64))
}

fn share(all: usize, clients: usize, number: usize) -> usize {
    all / clients + usize::from(number < all % clients)
}

fn pause(within: Duration, operations: usize) -> Duration {
    within / u32::try_from(operations.max(1)).unwrap_or(u32::MAX)
}

struct Client {
    api: Api,
    random: StdRng,
    log: ClientLog,
    stop: CancellationToken,
    began: Instant,
    pause: Duration,
}

impl Client {
    /// Sends until there is an answer, or gives up; says whether it was accepted.
    async fn insist(&mut self, id: Uuid, request: (Method, &str, &Birder), body: &Value) -> bool {
        let (method, path, who) = request;
        let expected = if method == Method::POST {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let deadline = Instant::now() + LONGEST_OUTAGE;
        self.log.tries(id);
        loop {
            let request = self.api.request(method.clone(), path);
            let request = request.bearer_auth(&who.token).json(body);
            let answer = self
                .api
                .try_send(request.timeout(Duration::from_secs(10)))
                .await;
            match answer.map(|answer| answer.status) {
                Some(status) if status == expected => {
                    self.log.accepted(id);
                    return true;
                }
                Some(status) if !status.is_server_error() => {
                    self.log
                        .complain(format!("{method} {path} was answered with {status}"));
                    return false;
                }
                _ => self.log.fails(),
            }
            if self.random.random_ratio(1, GIVES_UP) {
                return false;
            }
            if Instant::now() > deadline {
                let long = LONGEST_OUTAGE.as_secs();
                self.log
                    .complain(format!("{method} got no answer for {long} s"));
                return false;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Keeps the pace of this many operations; says whether to go on.
    async fn keep_pace(&self, done: usize) -> bool {
        let due = self.pause * u32::try_from(done).unwrap_or(u32::MAX);
        let due = tokio::time::sleep_until(self.began + due);
        self.stop.run_until_cancelled(due).await.is_some()
    }
}

async fn tick(mut client: Client, owner: Birder, pictures: Vec<Picture>, many: usize) {
    let mut accepted = Vec::with_capacity(many);
    for number in 0..many {
        if !client.keep_pace(number).await {
            break;
        }
        let id = random_id(&mut client.random);
        let Some(picture) = pictures.get(number % pictures.len().max(1)) else {
            break;
        };
        let body = json!({"id": id, "image": {"url": picture.url}, "count": 1 + number % 9});
        let request = (Method::POST, "/api/v1/ticks", &owner);
        if client.insist(id, request, &body).await {
            accepted.push(id);
        }
    }
    client.log.client_ended(accepted);
}

async fn rate(mut client: Client, pairs: Vec<(Birder, Uuid)>) {
    let mut accepted = Vec::with_capacity(pairs.len());
    for (number, (rater, image)) in pairs.into_iter().enumerate() {
        if !client.keep_pace(number).await {
            break;
        }
        let id = rating_id(rater.id, image);
        let path = format!("/api/v1/images/{image}/rating");
        let body = json!({"rating": client.random.random_range(1..=5)});
        if client.insist(id, (Method::PUT, &path, &rater), &body).await {
            accepted.push(id);
        }
    }
    client.log.client_ended(accepted);
}
