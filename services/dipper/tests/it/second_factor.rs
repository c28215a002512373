//! Whoever wants it is asked for a code beside the password: of an authenticator app, or one of the codes for recovery, each of
//! which works once.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use testkit::{Answer, Api, Birder, eventually};

use crate::erasure::erase;
use crate::setup::System;

const FACTOR: &str = "/api/v1/auth/second-factor";
const CONFIRM: &str = "/api/v1/auth/second-factor/confirm";
const DELETE: &str = "/api/v1/auth/second-factor/delete";

/// What an authenticator app shows, so many half minutes from now.
fn code(secret: &str, from_now: i64) -> String {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        _ => letter - b'2' + 26,
    };
    let bits = secret
        .bytes()
        .map(digit)
        .flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let bytes = bits
        .chunks_exact(8)
        .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit));
    let key: Vec<u8> = bytes.collect();
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let step = i64::try_from(seconds / 30).unwrap() + from_now;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn log_in(api: &Api, birder: &Birder, code: Option<&str>) -> Answer {
    let body = json!({"email": birder.email, "password": birder.password, "code": code});
    api.post("/api/v1/auth/login", &body).await
}

/// Demands that nobody got in, and says why.
fn refused(answer: &Answer, kind: &str) {
    answer.expect_problem(401, None);
    assert_eq!(answer.json["type"], format!("/problems/{kind}"));
}

/// Sets an app up: its secret.
async fn begin(api: &Api, birder: &Birder) -> String {
    let body = json!({"password": birder.password});
    let begun = api.post_as(birder, FACTOR, &body).await.expect(201).json;
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let uri = begun["uri"].as_str().unwrap();
    assert!(
        uri.starts_with("otpauth://totp/") && uri.contains(&secret),
        "{uri}"
    );
    assert!(begun["qr_svg"].as_str().unwrap().starts_with("<svg"));
    secret
}

/// Confirms it: the codes for recovery.
async fn confirm(api: &Api, birder: &Birder, code: &str) -> Vec<String> {
    let answer = api.post_as(birder, CONFIRM, &json!({"code": code})).await;
    serde_json::from_value(answer.expect(200).json["recovery_codes"].clone()).unwrap()
}

async fn standing(api: &Api, birder: &Birder) -> Value {
    api.get_as(birder, FACTOR).await.expect(200).json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_from_its_confirmation_on_and_works_once_on_sqlite() {
    whole_life(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_from_its_confirmation_on_and_works_once_on_postgres() {
    whole_life(System::up_on_postgres().await).await;
}

async fn whole_life(system: System) {
    let api = &system.api;
    let ada = api.join("Ada").await;
    let guess = json!({"password": "a guess"});
    api.post_as(&ada, FACTOR, &guess)
        .await
        .expect_problem(403, None);
    let early = api.post_as(&ada, CONFIRM, &json!({"code": "123456"})).await;
    early.expect_problem(409, None);
    begin(api, &ada).await;
    let secret = begin(api, &ada).await;
    let wrong = api.post_as(&ada, CONFIRM, &json!({"code": "none"})).await;
    wrong.expect_problem(403, None);
    log_in(api, &ada, None).await.expect(200);
    assert_eq!(standing(api, &ada).await["enabled"], false);

    let first = code(&secret, 0);
    let kept = confirm(api, &ada, &first).await;

    assert_eq!(
        standing(api, &ada).await,
        json!({"enabled": true, "recovery_codes": 10})
    );
    let second = json!({"password": ada.password});
    api.post_as(&ada, FACTOR, &second)
        .await
        .expect_problem(409, None);
    refused(&log_in(api, &ada, None).await, "second-factor-required");
    refused(&log_in(api, &ada, Some(&first)).await, "wrong-code");
    let next = code(&secret, 1);
    log_in(api, &ada, Some(&next)).await.expect(200);
    refused(&log_in(api, &ada, Some(&next)).await, "wrong-code");
    log_in(api, &ada, Some(&kept[0])).await.expect(200);
    refused(&log_in(api, &ada, Some(&kept[0])).await, "wrong-code");
    assert_eq!(standing(api, &ada).await["recovery_codes"], 9);

    let both = |password: &str, code: &str| json!({"password": password, "code": code});
    for wrong in [both("a guess", &kept[1]), both(&ada.password, &kept[0])] {
        api.post_as(&ada, DELETE, &wrong)
            .await
            .expect_problem(403, None);
    }
    let right = both(&ada.password, &kept[1]);
    assert_eq!(api.post_as(&ada, DELETE, &right).await.status, 204);
    log_in(api, &ada, None).await.expect(200);
    assert_eq!(
        standing(api, &ada).await,
        json!({"enabled": false, "recovery_codes": 0})
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_guessed_no_more_often_than_passwords_and_go_with_their_user() {
    let system = System::up().await;
    let api = &system.api;
    let (ada, ben) = (api.join("Ada").await, api.join("Ben").await);
    for birder in [&ada, &ben] {
        let secret = begin(api, birder).await;
        confirm(api, birder, &code(&secret, 0)).await;
    }
    // Whoever has the password and no code may ask as often as they like: nothing is guessed.
    for _ in 0..12 {
        refused(&log_in(api, &ada, None).await, "second-factor-required");
    }
    let mut guesses = 0;
    while log_in(api, &ada, Some("no code")).await.status == 401 {
        guesses += 1;
    }
    assert_eq!(guesses, 10);
    let locked = log_in(api, &ada, None).await;
    locked.expect_problem(429, None);

    erase(api, &ben).await;
    eventually("nothing names who is erased", || async {
        system.tables_naming(ben.id).await.is_empty().then_some(())
    })
    .await;
    system.stop().await;
}
