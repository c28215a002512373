//! Whether the time of an answer tells if an address is known, or a token almost right: the same requests for known and unknown
//! ones, turn by turn, and Welch's t of how long they took.

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use testkit::{Answer, Api, Birder};
use tokio::time::Instant;

use super::Setting;
use crate::report::Outcome;
use crate::world::{Plan, World};

/// Where two samples are taken to differ; by chance alone they do once in 150,000 times.
const MOST: f64 = 4.5;
/// So many are known; an account rests after a hundred failures.
const PEOPLE: usize = 30;

/// A question that must not tell whether something that is asked about is known.
struct Question {
    name: &'static str,
    /// What is known, of somebody who has joined.
    known: fn(&Birder) -> String,
    /// The same of nobody.
    unknown: fn(&str) -> String,
    ask: fn(&Api, &str) -> RequestBuilder,
}

const QUESTIONS: [Question; 4] = [
    Question {
        name: "login",
        known: address,
        unknown: nobodys_address,
        ask: |api, email| {
            let body = json!({"email": email, "password": "a wrong password"});
            post(api, "/api/v1/auth/login", &body)
        },
    },
    Question {
        name: "registration",
        known: address,
        unknown: nobodys_address,
        ask: |api, email| {
            let body = json!({"email": email, "password": "a long password", "name": "Tim"});
            post(api, "/api/v1/auth/register", &body)
        },
    },
    Question {
        name: "reset",
        known: address,
        unknown: nobodys_address,
        ask: |api, email| post(api, "/api/v1/auth/password/reset", &json!({"email": email})),
    },
    // Almost all of a token that is good: nobody finds the rest by how long it takes to refuse.
    Question {
        name: "token",
        known: |birder| {
            let mut token = birder.token.clone();
            let last = if token.pop() == Some('0') { '1' } else { '0' };
            token.push(last);
            token
        },
        unknown: |token| token.chars().rev().collect(),
        ask: |api, token| {
            let request = api.request(Method::GET, "/api/v1/users/me");
            request.bearer_auth(token)
        },
    },
];

fn address(birder: &Birder) -> String {
    birder.email.clone()
}

fn nobodys_address(email: &str) -> String {
    format!("un{email}")
}

fn post(api: &Api, path: &str, body: &Value) -> RequestBuilder {
    api.request(Method::POST, path).json(body)
}

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let mut plan = Plan::together();
    // Each request comes from an address of its own, so that no limit but the account's is met.
    let proxy = ("DIPPER_TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned());
    plan.environment.push(proxy);
    let mut world = World::start(&setting, &plan).await?;
    let mut outcome = Outcome::default();
    let mut random = StdRng::seed_from_u64(setting.seed);
    let mut known = Vec::with_capacity(PEOPLE);
    for _ in 0..PEOPLE {
        known.push(world.api.join("Tim").await);
    }
    let asked = setting.size.pick(40, 400, 2_000);
    for question in &QUESTIONS {
        let pair = ask(&world.api, question, &known, asked, &mut random).await?;
        pair.tell(question.name, &mut outcome);
    }
    world.stop_all().await;
    Ok(outcome)
}

/// How long answers took, in seconds, and what they were.
#[derive(Default)]
struct Sample {
    took: Vec<f64>,
    answers: Vec<(StatusCode, Vec<u8>)>,
}

struct Pair {
    known: Sample,
    unknown: Sample,
}

async fn ask(
    api: &Api,
    question: &Question,
    people: &[Birder],
    asked: usize,
    random: &mut StdRng,
) -> anyhow::Result<Pair> {
    // What nobody has is asked for as often as what somebody has.
    let known: Vec<String> = people.iter().map(question.known).collect();
    let unknown: Vec<String> = known.iter().map(|one| (question.unknown)(one)).collect();
    let mut turns: Vec<bool> = (0..asked).map(|turn| turn % 2 == 0).collect();
    turns.shuffle(random);
    let mut pair = Pair {
        known: Sample::default(),
        unknown: Sample::default(),
    };
    for is_known in turns {
        let (given, sample) = if is_known {
            (&known, &mut pair.known)
        } else {
            (&unknown, &mut pair.unknown)
        };
        let one = given.get(sample.took.len() % PEOPLE);
        let request = (question.ask)(api, one.map_or("", String::as_str));
        let began = Instant::now();
        let answer = send(api, request, random.random()).await?;
        sample.took.push(began.elapsed().as_secs_f64());
        sample.answers.push((answer.status, answer.bytes));
    }
    Ok(pair)
}

async fn send(api: &Api, request: RequestBuilder, address: u16) -> anyhow::Result<Answer> {
    let [high, low] = address.to_be_bytes();
    let request = request.header("x-forwarded-for", format!("198.18.{high}.{low}"));
    let answer = api.try_send(request).await;
    answer.context("the instance went away")
}

impl Pair {
    fn tell(&self, name: &str, outcome: &mut Outcome) {
        let t = welch(&self.known.took, &self.unknown.took);
        let (known, unknown) = (mean(&self.known.took), mean(&self.unknown.took));
        outcome.did(format!(
            "{name}: {} answers, {:.2} ms for known and {:.2} ms for unknown ones, t = {t:.2}",
            self.known.took.len() + self.unknown.took.len(),
            known * 1e3,
            unknown * 1e3,
        ));
        outcome.demand(t.abs() < MOST, || {
            format!("{name} tells by its time what is known: t = {t:.2}")
        });
        let mut answers: Vec<_> = self
            .known
            .answers
            .iter()
            .chain(&self.unknown.answers)
            .collect();
        answers.sort_unstable();
        answers.dedup();
        outcome.demand(answers.len() == 1, || {
            let statuses: Vec<_> = answers.iter().map(|(status, _)| status.as_u16()).collect();
            format!("{name} answers in more than one way: {statuses:?}")
        });
    }
}

/// Welch's t of two samples.
fn welch(left: &[f64], right: &[f64]) -> f64 {
    let error = variance(left) / number(left.len()) + variance(right) / number(right.len());
    (mean(left) - mean(right)) / error.sqrt()
}

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / number(sample.len())
}

fn variance(sample: &[f64]) -> f64 {
    let mean = mean(sample);
    let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
    squares / number(sample.len() - 1)
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_do_not_differ_and_others_do() {
        let even: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
        let later: Vec<f64> = even.iter().map(|value| value + 1.0).collect();
        assert!(welch(&even, &even).abs() < 0.01);
        assert!(welch(&later, &even) > MOST);
    }
}
