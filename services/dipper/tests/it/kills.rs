//! kill -9 right after any answer: nothing that was accepted is missing, nothing happens twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Api, Birder, PHOTO, Wire, eventually};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use crate::round::rating_mails;
use crate::setup::up;

const KILLS: usize = 50;
const CLIENTS: usize = 4;
/// A kill comes after at most so many answers.
const MOST_ANSWERS: u128 = 30;

/// What the clients know: everything they tried, and what was accepted.
#[derive(Default)]
struct ClientLog {
    /// Tried and not yet answered with 201: tried again with the same id.
    open: Vec<(Uuid, Value)>,
    accepted: BTreeSet<Uuid>,
    /// Ratings still to be made: rater and image.
    ratings: Vec<(Birder, Uuid)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_under_load_lose_nothing_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let instant = json!({"preferences": {"notifications": "instant"}});
    api.send(
        Method::PATCH,
        "/api/v1/users/me",
        Some(&owner.token),
        Some(&instant),
    )
    .await
    .expect(200);
    let mut images = BTreeMap::new();
    for _ in 0..5 {
        let (image, url) = api.upload(&owner, PHOTO).await;
        images.insert(image, url);
    }
    let mut log = ClientLog::default();
    for rater in [
        api.join("Rolf").await,
        api.join("Rita").await,
        api.join("Rune").await,
    ] {
        log.ratings
            .extend(images.keys().map(|image| (rater.clone(), *image)));
    }
    let ratings = log.ratings.len();
    let log = Arc::new(Mutex::new(log));
    let urls: Arc<Vec<String>> = Arc::new(images.into_values().collect());

    for _ in 0..KILLS {
        load_until_kill(&Api::new(&running.url), &owner, &urls, &log).await;
        running = running.kill().await.start().await;
    }
    let api = Api::new(&running.url);
    finish(&api, &owner, &log).await;
    let accepted = std::mem::take(&mut log.lock().await.accepted);
    expect_exactly(&api, &owner, &accepted, ratings).await;
    expect_streams(
        &Wire::connect(folder.path(), "operator").await,
        &accepted,
        ratings,
    )
    .await;
    assert_eq!(running.stop().await, Some(0));
}

/// Clients tick and rate until a random number of answers has come; then it is time for the kill.
async fn load_until_kill(
    api: &Api,
    owner: &Birder,
    urls: &Arc<Vec<String>>,
    log: &Arc<Mutex<ClientLog>>,
) {
    let left = Arc::new(AtomicI64::new(
        i64::try_from(1 + Uuid::new_v4().as_u128() % MOST_ANSWERS).unwrap(),
    ));
    let enough = Arc::new(Notify::new());
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (api, owner, urls, log) = (
            api.clone(),
            owner.clone(),
            Arc::clone(urls),
            Arc::clone(log),
        );
        let (left, enough) = (Arc::clone(&left), Arc::clone(&enough));
        clients.spawn(async move {
            loop {
                one_request(&api, &owner, &urls, &log).await;
                if left.fetch_sub(1, Ordering::SeqCst) <= 1 {
                    enough.notify_one();
                }
            }
        });
    }
    enough.notified().await;
    // The clients are cut off in whatever they do, as the server will be.
    clients.abort_all();
}

async fn one_request(api: &Api, owner: &Birder, urls: &[String], log: &Mutex<ClientLog>) {
    let (id, body, rating) = {
        let mut log = log.lock().await;
        let number = log.accepted.len() + log.open.len();
        let rating = if number % 5 == 4 {
            log.ratings.last().cloned()
        } else {
            None
        };
        let (id, body) = match log.open.first() {
            Some((id, body)) if number % 2 == 0 => (*id, body.clone()),
            _ => {
                let id = Uuid::new_v4();
                let body = json!({"id": id, "image": {"url": urls[number % urls.len()]}, "count": 1 + number});
                log.open.push((id, body.clone()));
                (id, body)
            }
        };
        (id, body, rating)
    };
    // A client that is cut off before the answer repeats its rating later; it counts once.
    if let Some((rater, image)) = rating
        && try_rating(api, &rater, image).await
    {
        log.lock()
            .await
            .ratings
            .retain(|(other, rated)| other.id != rater.id || *rated != image);
    }
    if try_tick(api, owner, &body).await {
        let mut log = log.lock().await;
        log.accepted.insert(id);
        log.open.retain(|(open, _)| *open != id);
    }
}

async fn try_tick(api: &Api, owner: &Birder, body: &Value) -> bool {
    let request = api
        .request(Method::POST, "/api/v1/ticks")
        .bearer_auth(&owner.token)
        .json(body);
    let answer = api.try_send(request).await;
    let status = answer.map(|answer| answer.status);
    assert!(
        matches!(
            status,
            None | Some(StatusCode::CREATED | StatusCode::SERVICE_UNAVAILABLE)
        ),
        "{status:?}"
    );
    status == Some(StatusCode::CREATED)
}

async fn try_rating(api: &Api, rater: &Birder, image: Uuid) -> bool {
    let path = format!("/api/v1/images/{image}/rating");
    let request = api
        .request(Method::PUT, &path)
        .bearer_auth(&rater.token)
        .json(&json!({"rating": 4}));
    api.try_send(request)
        .await
        .is_some_and(|answer| answer.status == StatusCode::OK)
}

/// What is still open is done now: cut-off clients come back.
async fn finish(api: &Api, owner: &Birder, log: &Mutex<ClientLog>) {
    let mut log = log.lock().await;
    for (id, body) in std::mem::take(&mut log.open) {
        assert!(try_tick(api, owner, &body).await);
        log.accepted.insert(id);
    }
    for (rater, image) in std::mem::take(&mut log.ratings) {
        assert!(try_rating(api, &rater, image).await);
    }
}

async fn expect_exactly(api: &Api, owner: &Birder, accepted: &BTreeSet<Uuid>, ratings: usize) {
    let mut stored = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let part = api
            .get_as(owner, &format!("/api/v1/ticks?user=me&limit=100{cursor}"))
            .await
            .expect(200)
            .json;
        for tick in part["items"].as_array().unwrap() {
            let id: Uuid = tick["id"].as_str().unwrap().parse().unwrap();
            assert!(stored.insert(id), "a tick is listed twice");
        }
        match part["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&stored, accepted, "what is stored is what was accepted");
    let expected = json!({
        "ticks": accepted.len(), "ratings": ratings, "images": 5, "scores": accepted.len(),
        "notifications": ratings, "logins": 4, "users": 4,
    });
    crate::round::expect_figures(api, &expected).await;
    let mails = eventually("every rating is mailed", || async {
        let mails = rating_mails(api, owner).await;
        (mails.len() >= ratings).then_some(mails)
    })
    .await;
    assert_eq!(mails.len(), ratings, "one mail for each rating");
}

/// In the streams, too, each event is there once.
async fn expect_streams(wire: &Wire, accepted: &BTreeSet<Uuid>, ratings: usize) {
    for (stream, events) in [
        ("TICK", accepted.len()),
        ("SCORE", accepted.len()),
        ("RATE", ratings),
        ("NOTIFICATION", ratings),
    ] {
        let ids: Vec<String> = wire
            .messages(stream)
            .await
            .iter()
            .map(|(_, _, body)| serde_json::from_slice::<Value>(body).unwrap()["id"].to_string())
            .collect();
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), events, "{stream} holds each event");
    }
}
