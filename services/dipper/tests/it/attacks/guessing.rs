//! Guessing, flooding, and being many.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Launch, Wire, eventually_within};
use uuid::Uuid;

use super::{ATTACKER, ELSEWHERE, Report, Stage};
use crate::round::rating_mails;
use crate::setup::DIPPER;

const GUESSES: usize = 1_000;
const PUPPETS: usize = 2_000;
/// So many ratings a minute one address may send: a full measure at once, and this much again in each minute that passes.
const PER_MINUTE: f64 = 600.0;
/// How often the owner is told, in seconds.
const DIGEST_INTERVAL: u64 = 40;
/// Several digests, on a machine that is busy with other things.
const DIGEST_PATIENCE: Duration = Duration::from_mins(5);

pub async fn attack(stage: &Stage, report: &mut Report) {
    passwords(stage, report).await;
    registrations(stage, report).await;
    puppets(report).await;
    one_digest(report).await;
}

async fn passwords(stage: &Stage, report: &mut Report) {
    let vera = &stage.vera;
    let mut tried = 0;
    let mut last = None;
    for number in 0..GUESSES {
        let answer = stage
            .log_in_from(ATTACKER, &vera.email, &format!("guess {number}"))
            .await;
        tried += usize::from(answer.status == 401);
        last = Some(answer);
    }
    let last = last.expect("an answer");
    report.status("5 1,000 wrong passwords on one account", 429, &last);
    report.expect(
        "5 and they say when to come back",
        &true,
        &last.headers.contains_key("retry-after"),
    );
    report.expect("5 ten of them were looked at", &10, &tried);
    let owner = stage
        .log_in_from(ELSEWHERE, &vera.email, &vera.password)
        .await;
    report.status("5 the owner logs in from elsewhere", 200, &owner);

    let mut tried = 0;
    for number in 0..GUESSES {
        // Whoever writes into the header cannot be somebody else: the proxy writes last.
        let forwarded = format!("192.0.2.{}, 203.0.113.67", number % 250);
        let email = format!("{number}@example.org");
        let answer = stage.log_in_from(&forwarded, &email, "password1").await;
        tried += usize::from(answer.status == 401);
        if number + 1 == GUESSES {
            report.status("5 one password on 1,000 accounts", 429, &answer);
        }
    }
    report.expect("5 few of them were looked at", &true, &(tried < 200));
}

async fn registrations(stage: &Stage, report: &mut Report) {
    let mut refused = 0;
    for _ in 0..60 {
        let email = format!("flood-{}@example.org", Uuid::new_v4().simple());
        let request = stage
            .api
            .request(Method::POST, "/api/v1/auth/register")
            .header("x-forwarded-for", "203.0.113.68")
            .json(&json!({"email": email, "password": "long enough", "name": "F"}));
        let answer = stage.api.try_send(request).await.expect("an answer");
        refused += usize::from(answer.status == 429);
    }
    report.expect(
        "5 60 registrations from one address are too many",
        &true,
        &(refused > 0),
    );
}

/// Two thousand accounts of one person raise a picture. Tokens are believed here: two thousand passwords would take minutes.
async fn puppets(report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path())
        .env("DIPPER_AUTH_MODE", "trust")
        .env("DIPPER_TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = testkit::Birder {
        id: Uuid::nil(),
        email: String::new(),
        password: String::new(),
        token: "owner".to_owned(),
    };
    let image = api.tick(&owner).await;
    let path = format!("/api/v1/images/{image}/rating");
    let rate = async |puppet: usize| {
        let request = api
            .request(Method::PUT, &path)
            .bearer_auth(format!("puppet {puppet}"))
            .header("x-forwarded-for", "203.0.113.69")
            .json(&json!({"rating": 5}));
        api.try_send(request)
            .await
            .expect("an answer")
            .status
            .as_u16()
    };
    let began = Instant::now();
    let answers: Vec<u16> = stream::iter(0..PUPPETS)
        .map(rate)
        .buffered(16)
        .collect()
        .await;
    expect_limited(report, &answers, began.elapsed());
    let shown = api
        .get(&format!("/api/v1/images/{image}"))
        .await
        .expect(200)
        .json;
    let rank = shown["rank"].as_f64().unwrap();
    report.expect(
        "22 the rank is bounded",
        &true,
        &(1.0..=5.0).contains(&rank),
    );
    assert_eq!(running.stop().await, Some(0));
}

fn expect_limited(report: &mut Report, answers: &[u16], time: Duration) {
    let accepted = answers.iter().filter(|status| **status == 200).count();
    let limited = answers.iter().filter(|status| **status == 429).count();
    println!("        {accepted} of {PUPPETS} were accepted");
    report.expect(
        "22 every puppet is answered",
        &PUPPETS,
        &(accepted + limited),
    );
    let minutes = time.as_secs_f64() / 60.0;
    let most = PER_MINUTE * (1.0 + minutes);
    let are_few = u32::try_from(accepted).is_ok_and(|accepted| f64::from(accepted) <= most);
    report.expect(
        "22 no more puppets than the limit lets through",
        &true,
        &are_few,
    );
}

/// As many ratings that passed every limit, as a service that was taken over could make them: their owner is told of the first at once,
/// and of all others in one digest, or one for each interval that they take on a busy machine.
async fn one_digest(report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path())
        .env("DIPPER_DIGEST_INTERVAL", &format!("{DIGEST_INTERVAL}s"))
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let image = api.tick(&owner).await;
    let wire = Wire::connect(folder.path(), "tick-api").await;
    let began = Instant::now();
    stream::iter(0..=PUPPETS)
        .for_each_concurrent(16, |_| rate_by_event(&wire, image, owner.id))
        .await;
    let mails = eventually_within(DIGEST_PATIENCE, "all ratings are told", || async {
        let mails = rating_mails(&api, &owner).await;
        let told: usize = mails.iter().map(told).sum();
        (told == PUPPETS + 1).then_some(mails)
    })
    .await;
    let intervals = usize::try_from(began.elapsed().as_secs() / DIGEST_INTERVAL).unwrap();
    println!("        {} mails in {intervals} intervals", mails.len());
    let are_few = mails.len() <= 1 + intervals.max(1);
    report.expect("22 2,000 ratings are one digest", &true, &are_few);
    assert_eq!(running.stop().await, Some(0));
}

/// Publishes a rating by somebody new.
async fn rate_by_event(wire: &Wire, image: Uuid, owner: Uuid) {
    let rater = Uuid::new_v4();
    let event = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "2.0",
        "data": {"user": {"id": rater}, "image": {"url": format!("/images/{image}"), "owner": owner}, "rating": 5},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    });
    let subject = format!("rate.update.v2.{rater}");
    wire.publish_event(&subject, &event).await;
}

/// How many ratings a mail tells of.
fn told(mail: &Value) -> usize {
    let subject = mail["subject"].as_str().unwrap_or_default();
    let counted = subject.strip_prefix("Your picture was rated ");
    let counted = counted.and_then(|rest| rest.strip_suffix(" times"));
    counted.map_or(1, |number| number.parse().unwrap_or_default())
}
