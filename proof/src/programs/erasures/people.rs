//! Who is erased, and who stands by.

use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, PHOTO, Wire};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::events::{publish_all, tick, unreadable_tick};
use crate::load::random_id;
use crate::places::until;
use crate::report::Outcome;
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(5);
/// So many times somebody does something while they are erased.
const ACTS: usize = 4;

/// Somebody who is about to be erased, by the random choices about them.
pub struct Candidate {
    word: String,
    /// An event of theirs that nobody can read.
    unreadable: Option<Uuid>,
    /// An event of theirs that a foreign producer has published, and will again.
    copied: Uuid,
}

/// Somebody who was erased.
pub struct Erased {
    /// Their user id.
    pub id: Uuid,
    /// Where their mails went.
    pub email: String,
    /// Whatever must be found nowhere.
    pub needles: Vec<String>,
    copied: Uuid,
    status_url: String,
}

/// Those who go on, each with a picture.
pub struct Bystanders {
    people: Vec<(Birder, Uuid)>,
    seen: Vec<Value>,
}

/// Candidates, a few at a time.
pub fn bunches(many: usize, together: usize, seed: u64) -> Vec<Vec<Candidate>> {
    let mut random = StdRng::seed_from_u64(seed);
    let candidates = (0..many).map(|number| Candidate {
        word: format!("{:016x}", random.random::<u64>()),
        unreadable: (number % 3 == 0).then(|| random_id(&mut random)),
        copied: random_id(&mut random),
    });
    let mut candidates = candidates.collect::<Vec<_>>().into_iter();
    let mut bunches = Vec::new();
    loop {
        let bunch: Vec<Candidate> = candidates.by_ref().take(together).collect();
        if bunch.is_empty() {
            return bunches;
        }
        bunches.push(bunch);
    }
}

/// Lets each of them join, be rated, act, and be erased meanwhile.
pub async fn erase_all(
    world: &World,
    bystanders: &Bystanders,
    bunch: Vec<Candidate>,
) -> anyhow::Result<Vec<Erased>> {
    let mut races = JoinSet::new();
    for candidate in bunch {
        let (api, wire) = (world.api.clone(), world.wire().await);
        let others = bystanders.people.clone();
        races.spawn(async move { race(&api, &wire, others, candidate).await });
    }
    races.join_all().await.into_iter().collect()
}

async fn race(
    api: &Api,
    wire: &Wire,
    others: Vec<(Birder, Uuid)>,
    candidate: Candidate,
) -> anyhow::Result<Erased> {
    let Candidate {
        word,
        unreadable,
        copied,
    } = candidate;
    let (name, note) = (format!("canary{word}"), format!("nesting{word}"));
    let birder = api.join(&name).await;
    let (image, url) = api.upload(&birder, PHOTO).await;
    let body = json!({"image": {"url": url}, "note": note, "place": {"lat": 59.858_641, "lon": 17.638_927}});
    api.post_as(&birder, "/api/v1/ticks", &body)
        .await
        .expect(201);
    let mut events = vec![tick(copied, birder.id)];
    events.extend(unreadable.map(|id| unreadable_tick(id, birder.id)));
    publish_all(wire, events).await;
    // The first rating is told of at once; what comes later waits for the digest.
    for (other, theirs) in &others {
        api.try_rate(other, image, 4).await;
        api.try_rate(&birder, *theirs, 5).await;
    }
    let (mine, about_me) = (birder.clone(), others.clone());
    let acts = tokio::spawn(act(api.clone(), mine, others));
    let ratings = tokio::spawn(be_rated(api.clone(), about_me, image));
    let proof = json!({"password": birder.password});
    let asked = api.post_as(&birder, "/api/v1/gdpr/delete", &proof).await;
    let status_url = asked.expect(202).json["status_url"].clone();
    let status_url = status_url.as_str().unwrap_or_default().to_owned();
    // What either of them did is over; that some of it was refused is what is looked for.
    let _ = tokio::join!(acts, ratings);
    until("the erasure ends", PATIENCE, async || {
        let status = api.get(&status_url).await.expect(200).json;
        status["receipt"].is_object().then_some(())
    })
    .await?;
    let ids = [birder.id, image, Uuid::new_v5(&copied, b"image")];
    let mut needles: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    needles.extend([birder.email.clone(), name, note]);
    Ok(Erased {
        id: birder.id,
        email: birder.email,
        needles,
        copied,
        status_url,
    })
}

/// Uploads, ticks and rates until, at some moment, all of it is refused.
async fn act(api: Api, birder: Birder, others: Vec<(Birder, Uuid)>) {
    let upload = api
        .request(Method::POST, "/api/v1/images")
        .bearer_auth(&birder.token)
        .header("content-type", "image/jpeg")
        .body(PHOTO);
    let uploaded = api.try_send(upload).await;
    let url = uploaded.map(|uploaded| uploaded.json["url"].clone());
    for rating in (1..=5).cycle().take(ACTS) {
        for (_, image) in &others {
            api.try_rate(&birder, *image, rating).await;
        }
        let tick = api
            .request(Method::POST, "/api/v1/ticks")
            .bearer_auth(&birder.token)
            .json(&json!({"image": {"url": url}}));
        api.try_send(tick).await;
    }
}

async fn be_rated(api: Api, others: Vec<(Birder, Uuid)>, image: Uuid) {
    for rating in (1..=5).cycle().take(ACTS) {
        for (other, _) in &others {
            api.try_rate(other, image, rating).await;
        }
    }
}

/// Whether the broker's lists name none of them any more.
pub async fn lists_follow(api: &Api, erased: &[Erased]) -> bool {
    let follows = async |one: &Erased| {
        let status = api.get(&one.status_url).await.expect(200).json;
        status["receipt"]["scan"]["broker_lists_follow"] == json!(false)
    };
    join_all(erased.iter().map(follows))
        .await
        .into_iter()
        .all(|follows| follows)
}

/// Publishes an event of each once more, under its id and under another one.
pub async fn publish_copies(world: &World, erased: &[Erased]) -> usize {
    let again = erased.iter().flat_map(|one| {
        let other = Uuid::new_v5(&one.copied, b"again");
        [tick(one.copied, one.id), tick(other, one.id)]
    });
    let again: Vec<_> = again.collect();
    let copies = again.len();
    publish_all(&world.wire().await, again).await;
    copies
}

/// How many messages name one of them.
pub async fn still_in_streams(world: &World, erased: &[Erased]) -> usize {
    let wire = world.wire().await;
    let ids: Vec<String> = erased.iter().map(|one| one.id.to_string()).collect();
    let mut named = 0;
    for stream in envelope::STREAMS {
        for stored in wire.read(stream.name).await {
            let text = format!("{} {}", stored.subject, stored.body);
            named += usize::from(ids.iter().any(|id| text.contains(id)));
        }
    }
    named
}

impl Bystanders {
    /// Lets some people join and tick, and rate each other.
    pub async fn gather(api: &Api) -> Self {
        let mut people = Vec::new();
        for name in ["Ben", "Cyd", "Dot"] {
            let birder = api.join(name).await;
            let image = api.tick(&birder).await;
            people.push((birder, image));
        }
        for (rater, own) in &people {
            for (_, image) in people.iter().filter(|(_, image)| image != own) {
                api.try_rate(rater, *image, 3).await;
            }
        }
        let mut all = Self {
            people,
            seen: Vec::new(),
        };
        all.seen = all.look(api).await;
        all
    }

    /// What they see of their own, and how they are rated.
    async fn look(&self, api: &Api) -> Vec<Value> {
        let mut seen = Vec::new();
        for (birder, image) in &self.people {
            for path in ["/api/v1/users/me", "/api/v1/ticks?user=me"] {
                seen.push(api.get_as(birder, path).await.expect(200).json);
            }
            let picture = api
                .get(&format!("/api/v1/images/{image}"))
                .await
                .expect(200);
            seen.push(picture.json["rating"].clone());
        }
        seen
    }

    /// Whoever came and went has changed nothing of theirs.
    pub async fn are_as_they_were(&self, api: &Api, outcome: &mut Outcome) {
        let now = self.look(api).await;
        for (was, is) in self.seen.iter().zip(&now) {
            outcome.demand(was == is, || format!("a bystander's {was} became {is}"));
        }
    }
}
