//! What it costs to erase somebody with a thousand events among many: how long it takes, and what others
//! notice of it.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use testkit::{Api, Birder};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Setting, seconds};
use crate::events::{login, publish_all};
use crate::load::random_id;
use crate::places::{median, p99, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

/// Each of those who are erased has so many events.
const EVENTS: usize = 1_000;
/// So many are erased one after the other, since one figure says little.
const ERASED: usize = 3;
/// So many others have all other events.
const OTHERS: usize = 2_000;
const PATIENCE: Duration = Duration::from_mins(20);
const ERASED_WITHIN: Duration = Duration::from_mins(1);
/// Others' latency may grow by so much, or by what one flush more or less makes.
const MOST_CHANGE: f64 = 0.2;
const MEASURED_TO: Duration = Duration::from_millis(5);
/// So long others are watched before each erasure.
const WATCHED: Duration = Duration::from_secs(10);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let mut world = World::start(&setting, &Plan::together()).await?;
    let mut outcome = Outcome::default();
    let mut random = StdRng::seed_from_u64(setting.seed);
    let mut before = 0;
    for many in [
        setting.size.pick(4_000, 10_000, 100_000),
        setting.size.pick(8_000, 40_000, 1_000_000),
    ] {
        let people = join(&world.api).await;
        publish(&world, &people, many - before, &mut random).await?;
        before = many;
        let measured = measure(&world, &people).await?;
        measured.tell(many, &mut outcome);
    }
    world.stop_all().await;
    Ok(outcome)
}

async fn join(api: &Api) -> Vec<Birder> {
    let mut people = Vec::with_capacity(ERASED);
    for _ in 0..ERASED {
        people.push(api.join("Olga").await);
    }
    people
}

/// Publishes so many log-ins, a thousand of each of these people evenly among those of others, and waits
/// until they are handled.
async fn publish(
    world: &World,
    people: &[Birder],
    many: usize,
    random: &mut StdRng,
) -> anyhow::Result<()> {
    let others: Vec<Uuid> = (0..OTHERS).map(|_| random_id(random)).collect();
    let every = (many / EVENTS).max(people.len() + 1);
    let wire = world.wire().await;
    let mut events = Vec::with_capacity(many);
    for number in 0..many {
        let own = people
            .get(number % every)
            .filter(|_| number / every < EVENTS);
        let user = match (own, others.get(random.random_range(0..OTHERS))) {
            (Some(person), _) => person.id,
            (None, other) => other.copied().unwrap_or_default(),
        };
        events.push(login(random_id(random), user));
    }
    let mut tables = world.tables("statistics").await?;
    let count = "SELECT count(*) FROM fact WHERE kind = 'login'";
    let wanted = tables.number(count).await? + i64::try_from(many)?;
    publish_all(&wire, events).await;
    for (service, count) in [
        ("statistics", count),
        (
            "user-api",
            "SELECT count(*) FROM subject_index WHERE stream = 'USER'",
        ),
    ] {
        until("all of them are handled", PATIENCE, async || {
            let mut tables = world.tables(service).await.ok()?;
            (tables.number(count).await.ok()? >= wanted).then_some(())
        })
        .await?;
    }
    Ok(())
}

/// What some erasures took, and how long others' ticks took before and beside them.
struct Measured {
    took: Vec<Duration>,
    alone: Vec<Duration>,
    beside: Vec<Duration>,
}

async fn measure(world: &World, people: &[Birder]) -> anyhow::Result<Measured> {
    let bystander = world.api.join("Ben").await;
    let (_, url) = world.api.upload(&bystander, testkit::PHOTO).await;
    let mut measured = Measured {
        took: Vec::new(),
        alone: Vec::new(),
        beside: Vec::new(),
    };
    for person in people {
        let ticks = tick_until(&world.api, &bystander, &url, tokio::time::sleep(WATCHED));
        measured.alone.push(p99(ticks.await));
        let began = Instant::now();
        let erasing = erase(&world.api, person);
        measured
            .beside
            .push(p99(tick_until(&world.api, &bystander, &url, erasing).await));
        measured.took.push(began.elapsed());
    }
    Ok(measured)
}

/// Erases somebody, and waits for the end.
async fn erase(api: &Api, person: &Birder) {
    let proof = json!({"password": person.password});
    let asked = api.post_as(person, "/api/v1/gdpr/delete", &proof).await;
    let status_url = asked.expect(202).json["status_url"].clone();
    let status_url = status_url.as_str().unwrap_or_default();
    loop {
        if api.get(status_url).await.expect(200).json["receipt"].is_object() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How long somebody's ticks take, one after the other, until something else is over.
async fn tick_until(
    api: &Api,
    birder: &Birder,
    url: &str,
    end: impl Future<Output = ()>,
) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut end = std::pin::pin!(end);
    let body = json!({"image": {"url": url}});
    loop {
        let began = Instant::now();
        api.post_as(birder, "/api/v1/ticks", &body)
            .await
            .expect(201);
        took.push(began.elapsed());
        tokio::select! {
            () = &mut end => return took,
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
}

impl Measured {
    fn tell(self, many: usize, outcome: &mut Outcome) {
        let longest = self.took.iter().max().copied().unwrap_or_default();
        let (took, alone, beside) = (median(self.took), median(self.alone), median(self.beside));
        let change = beside.as_secs_f64() / alone.as_secs_f64() - 1.0;
        outcome.did(format!(
            "{EVENTS} of {many} events erased in {} (at most {}), others' p99 {alone:.1?}, meanwhile {beside:.1?} ({:+.0} %)",
            seconds(took),
            seconds(longest),
            change * 100.0
        ));
        outcome.demand(longest < ERASED_WITHIN, || {
            format!("an erasure among {many} events took {}", seconds(longest))
        });
        let least_measured = MEASURED_TO.as_secs_f64() / alone.as_secs_f64();
        outcome.demand(change <= MOST_CHANGE.max(least_measured), || {
            format!(
                "others' p99 changed by {:+.0} % among {many} events",
                change * 100.0
            )
        });
    }
}
