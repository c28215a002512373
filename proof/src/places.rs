//! Every place where a tick or a rating must have had its effect, compared with the clients' logs.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::wire::Stored;
use testkit::{Api, Birder};
use tokio::time::Instant;
use uuid::Uuid;

use crate::checker::{compare, out_of_order};
use crate::load::{Crowd, Logs, rating_id};
use crate::log::Operations;
use crate::report::Outcome;
use crate::world::World;

const RATINGS: &str = "SELECT count(*) FROM rating WHERE rating IS NOT NULL";

/// Waits until everything has reached everybody: how long that took, if it did in time.
pub async fn drain(world: &World, patience: Duration) -> anyhow::Result<Option<Duration>> {
    let began = Instant::now();
    loop {
        let waiting = waiting(world).await;
        if matches!(waiting, Ok(0)) {
            return Ok(Some(began.elapsed()));
        }
        if began.elapsed() > patience {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many effects are still to come.
pub async fn waiting(world: &World) -> anyhow::Result<i64> {
    let mut tick_api = world.tables("tick-api").await?;
    let ticks = tick_api.number("SELECT count(*) FROM tick").await?;
    let ratings = tick_api.number(RATINGS).await?;
    let unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL";
    let mut waiting = tick_api.number(unsent).await?;
    let mut statistics = world.tables("statistics").await?;
    for (wanted, query) in [
        (ticks, "SELECT count(*) FROM tick WHERE stands"),
        (ticks, "SELECT count(*) FROM fact WHERE kind = 'score'"),
        (
            ratings,
            "SELECT count(*) FROM rating WHERE value IS NOT NULL",
        ),
        (
            ratings,
            "SELECT count(*) FROM fact WHERE kind = 'notification'",
        ),
    ] {
        let there = statistics.number(query).await?;
        waiting += (wanted - there).max(0);
    }
    let mut notifier = world.tables("notifier").await?;
    waiting += notifier.number("SELECT count(*) FROM pending").await?;
    waiting += notifier.number(unsent).await?;
    Ok(waiting)
}

/// Compares everything with what clients know.
pub async fn compare_all(
    world: &World,
    crowd: &Crowd,
    logs: &Logs,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let (ticks, complaints) = logs.ticks.read();
    outcome.problems.extend(complaints);
    let (ratings, complaints) = logs.ratings.read();
    outcome.problems.extend(complaints);
    compare_ticks(world, crowd, &ticks, outcome).await?;
    compare_ratings(world, &ratings, outcome).await?;
    account_all(world, outcome).await
}

async fn compare_ticks(
    world: &World,
    crowd: &Crowd,
    ticks: &Operations,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let wire = world.wire().await;
    let mut place = |name: &str, effects: Vec<Uuid>| {
        outcome.compared(name, compare(ticks, effects));
    };
    let mut tick_api = world.tables("tick-api").await?;
    place(
        "TickAPI's ticks",
        tick_api.ids("SELECT id FROM tick").await?,
    );
    place("TickAPI's lists", listed(world, crowd).await?);
    let events = distinct(wire.read("TICK").await);
    place("TICK", events.iter().filter_map(Stored::id).collect());
    let scores = distinct(wire.read("SCORE").await);
    let tick_of: HashMap<Uuid, Uuid> = scores.iter().filter_map(cause).collect();
    place("SCORE", tick_of.values().copied().collect());
    let mut statistics = world.tables("statistics").await?;
    let counted = statistics.ids("SELECT id FROM tick WHERE stands").await?;
    place("Statistics' ticks", counted);
    let facts = statistics
        .ids("SELECT event_id FROM fact WHERE kind = 'score'")
        .await?;
    let of = |event: Uuid| tick_of.get(&event).copied().unwrap_or(event);
    place("Statistics' scores", facts.into_iter().map(of).collect());
    // What was lost in the midst comes back at the end: there it is in order among its like.
    let (again, first): (Vec<&Stored>, Vec<&Stored>) =
        events.iter().partition(|event| was_published_again(event));
    for some in [first, again] {
        let places = some
            .iter()
            .filter_map(|one| Some((one.id()?, one.sequence)));
        let wrong = out_of_order(&ticks.in_order, &places.collect());
        outcome.demand(wrong == 0, || {
            format!("TICK: {wrong} ticks lie before earlier ones")
        });
    }
    Ok(())
}

fn was_published_again(stored: &Stored) -> bool {
    let id = stored.headers.get("Nats-Msg-Id");
    id.is_some_and(|id| id.as_str().contains(":again-"))
}

async fn compare_ratings(
    world: &World,
    ratings: &Operations,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let wire = world.wire().await;
    let events = distinct(wire.read("RATE").await);
    let by_event: HashMap<Uuid, Uuid> = events.iter().filter_map(rated).collect();
    let of = |event: Uuid| by_event.get(&event).copied().unwrap_or(event);
    let named = |pairs: Vec<(Uuid, Uuid)>| -> Vec<Uuid> {
        let pairs = pairs.into_iter();
        pairs
            .map(|(rater, image)| rating_id(rater, image))
            .collect()
    };
    let mut place = |name: &str, effects: Vec<Uuid>| {
        outcome.compared(name, compare(ratings, effects));
    };
    let mut tick_api = world.tables("tick-api").await?;
    let query = "SELECT rater, image FROM rating WHERE rating IS NOT NULL";
    place("TickAPI's ratings", named(tick_api.pairs(query).await?));
    place("RATE", by_event.values().copied().collect());
    let mut statistics = world.tables("statistics").await?;
    let query = "SELECT user_id, image_id FROM rating WHERE value IS NOT NULL";
    place("Statistics' ratings", named(statistics.pairs(query).await?));
    let notifications = distinct(wire.read("NOTIFICATION").await);
    let told = notifications.iter().filter_map(told);
    place("NOTIFICATION", told.map(of).collect());
    let by_mail: HashMap<Uuid, Uuid> = by_event
        .iter()
        .map(|(event, rating)| (mail_id(*event), *rating))
        .collect();
    let mails = mails(world).await?.into_iter();
    let mails = mails.map(|mail| by_mail.get(&mail).copied().unwrap_or(mail));
    place("mails", mails.collect());
    let repeats = world.mail.repeats();
    if repeats > 0 {
        outcome.did(format!(
            "{repeats} mails handed over again under the same Message-ID"
        ));
    }
    Ok(())
}

/// [`account`] for all services that keep something.
pub async fn account_all(world: &World, outcome: &mut Outcome) -> anyhow::Result<()> {
    let services = [
        "tick-api",
        "auth-api",
        "notifier",
        "statistics",
        "admin-api",
        "user-api",
    ];
    account(world, &services, outcome).await
}

/// What a consumer was offered must be what became of it, and its effects as many as its events.
pub async fn account(
    world: &World,
    services: &[&str],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    for service in services {
        let mut tables = world.tables(service).await?;
        let known = "SELECT CAST(COALESCE(sum(offered - processed - repeated - erased - skipped), 0) AS BIGINT) FROM progress";
        let open = tables.number(known).await?;
        let parked = tables.number("SELECT count(*) FROM parked").await?;
        outcome.demand(open == parked, || {
            format!("{service}: {open} events are not accounted for, {parked} are parked")
        });
        // UserAPI's index keeps every place of an event: it handles copies too.
        if *service != "user-api" {
            let handled = "SELECT CAST(COALESCE(sum(processed), 0) AS BIGINT) FROM progress";
            let handled = tables.number(handled).await?;
            // Those of erased people have no effect, and are noted all the same, if they can be read.
            let erased = "SELECT CAST(COALESCE(sum(erased), 0) AS BIGINT) FROM progress";
            let noted = handled + tables.number(erased).await?;
            let inbox = tables.number("SELECT count(*) FROM inbox").await?;
            outcome.demand((handled..=noted).contains(&inbox), || {
                format!("{service}: handled {handled} times, {inbox} different events")
            });
        }
    }
    Ok(())
}

/// What one in a hundred took longer than.
pub fn p99(all: Vec<Duration>) -> Duration {
    percentile(all, 99)
}

/// What half of them took: one round that something else disturbed changes nothing.
pub fn median(all: Vec<Duration>) -> Duration {
    percentile(all, 50)
}

fn percentile(mut all: Vec<Duration>, percent: usize) -> Duration {
    all.sort_unstable();
    let place = all.len().saturating_sub(1) * percent / 100;
    all.get(place).copied().unwrap_or_default()
}

/// An admin has all that failed at a consumer tried again.
pub async fn replay(api: &Api, admin: &Birder, consumer: &str) -> anyhow::Result<()> {
    const PATIENCE: Duration = Duration::from_mins(2);
    let path = "/api/v1/admin/dead-letters/decisions";
    let asked = json!({"action": "replay", "consumer": consumer, "reason": "It was repaired."});
    let made = api.post_as(admin, path, &asked).await;
    if made.status.is_success() {
        let path = format!("{path}/{}", made.json["id"].as_str().unwrap_or_default());
        until("the decision is carried out", PATIENCE, async || {
            let decision = api.get_as(admin, &path).await.json;
            (decision["is_done"] == Value::Bool(true)).then_some(())
        })
        .await?;
    }
    Ok(())
}

/// Waits until something comes true, and tells how long that took.
pub async fn until<F, Fut>(
    what: &str,
    patience: Duration,
    mut condition: F,
) -> anyhow::Result<Duration>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<()>>,
{
    let began = Instant::now();
    while condition().await.is_none() {
        ensure!(
            began.elapsed() < patience,
            "it did not come true in {patience:?} that {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(began.elapsed())
}

/// Repeated publishing may leave copies of an event in a stream: they are one event.
pub fn distinct(stored: Vec<Stored>) -> Vec<Stored> {
    let mut seen = HashSet::new();
    let is_new = |one: &Stored| one.id().is_none_or(|id| seen.insert(id));
    stored.into_iter().filter(is_new).collect()
}

async fn listed(world: &World, crowd: &Crowd) -> anyhow::Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for (owner, _) in &crowd.owners {
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/ticks?user=me&limit=100{cursor}");
            let part = world.api.get_as(owner, &path).await.expect(200).json;
            for tick in part["items"].as_array().context("no list")? {
                ids.push(tick["id"].as_str().context("no id")?.parse()?);
            }
            match part["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
    }
    Ok(ids)
}

/// An event and the one that it follows from.
fn cause(stored: &Stored) -> Option<(Uuid, Uuid)> {
    let cause = stored.body["metadata"]["causationid"].as_str()?;
    Some((stored.id()?, cause.parse().ok()?))
}

/// A rating's event and the rating.
pub fn rated(stored: &Stored) -> Option<(Uuid, Uuid)> {
    let data = &stored.body["data"];
    let url = data["image"]["url"]
        .as_str()
        .or(data["image_url"].as_str())?;
    let image = url.rsplit('/').find_map(|part| part.parse().ok())?;
    let rater = data["user"]["id"].as_str()?.parse().ok()?;
    Some((stored.id()?, rating_id(rater, image)))
}

/// The rating that a mail told of.
fn told(stored: &Stored) -> Option<Uuid> {
    stored.body["data"]["source_event"]["id"]
        .as_str()?
        .parse()
        .ok()
}

/// A mail's id follows from the events that it tells of.
pub fn mail_id(event: Uuid) -> Uuid {
    let name = event.simple().to_string();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Ids of the mails about ratings that arrived.
pub async fn mails(world: &World) -> anyhow::Result<Vec<Uuid>> {
    let catcher = world.mail.clone();
    let all = tokio::task::spawn_blocking(move || catcher.messages()).await?;
    let about_ratings = all
        .iter()
        .filter(|mail| mail.headers.contains_key("List-Unsubscribe"));
    let ids = about_ratings.filter_map(|mail| {
        let id = mail.headers.get("Message-ID")?.trim_start_matches('<');
        id.split('@').next()?.parse().ok()
    });
    Ok(ids.collect())
}
